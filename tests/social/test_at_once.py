"""Two at the same moment, on real connections: an approval is decided once, an arrival filed once, a row taken once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection

from helpdesk.conversations.models import Message
from social import answering, arrivals, filing, media
from social.happenings import Author, Batch, Said
from social.models import Approval, Arrival, Post
from tests.fixtures.company import Company
from tests.social.talk import account_on, said_to

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each returned or raised; all begin together."""
    ready = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            ready.wait(30)
            return work()
        except (ValueError, RuntimeError, DatabaseError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_two_decide_on_one_approval(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at, needs_approval=True), "Is web14 down?", at)
    asked = answering.answer(conversation.pk, company.ada, "We are on it.", client_id=uuid4(), at=at)
    assert isinstance(asked, Approval)
    results = at_once(
        [
            lambda: answering.decide(asked.pk, company.grace, approves=True, at=at),
            lambda: answering.decide(asked.pk, company.linus, approves=True, at=at),
            lambda: answering.decide(asked.pk, company.linus, approves=False, at=at, reason="Not so"),
        ]
    )
    assert sorted(type(one).__name__ for one in results).count("SecondReader") == 2, results
    asked.refresh_from_db()
    said = Message.objects.filter(conversation=conversation, kind=Message.Kind.OUTBOUND).count()
    assert said == (1 if asked.state == Approval.State.APPROVED else 0)


def test_workers_file_one_persons_words_once_and_in_order(company: Company, at: datetime) -> None:
    account = account_on("x", at)
    people = [Author(id=str(number), handle=f"@p{number}") for number in range(3)]
    said = [
        Said(f"{person.id}-{number}", at + timedelta(seconds=number), person, f"{number}", "post", f"t{person.id}")
        for person in people
        for number in range(4)
    ]
    arrivals.keep({"": account.pk}, Batch(tuple(("", one) for one in said)), at=at + timedelta(minutes=1))
    later = at + timedelta(minutes=2)
    at_once([lambda: filing.file_arrivals(later)] * 4)
    filing.file_arrivals(later)
    assert set(Arrival.objects.values_list("state", flat=True)) == {Arrival.State.FILED}
    found: dict[str, list[str]] = {}
    for post in Post.objects.select_related("message", "person").order_by("message_id"):
        assert post.person is not None and post.message is not None
        found.setdefault(post.person.external_id, []).append(post.message.text)
    assert found == {person.id: ["0", "1", "2", "3"] for person in people}


def test_a_row_is_taken_by_one_and_again_when_the_lease_has_ended(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at), "Look", at)
    Post.objects.update(media=[{"kind": "photo", "url": "", "id": "1", "name": ""}], media_due_at=at)
    rows, lease = Post.objects.select_related("account", "message"), media.LEASE
    taken = at_once([lambda: lease.take(rows, at=at)] * 4)
    assert [one.message_id for one in taken if one is not None] == [conversation.messages.get().pk]
    held = Post.objects.get()
    assert (held.media_attempts, held.media_due_at) == (1, at + lease.lasts)
    again = lease.take(rows, at=at + lease.lasts)
    assert again is not None and again.media_attempts == 2, "its worker has died"
    waits = [lease.wait(attempts).total_seconds() for attempts in (0, 1, 2, 5, 99)]
    assert waits == [10, 10, 60, 7200, 7200]
    assert lease.wait(1, timedelta(seconds=3)) == timedelta(seconds=3), "the provider has asked for it"
