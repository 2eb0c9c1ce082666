"""Splitting and linking by several agents at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import linking, merging, splitting
from helpdesk.conversations.models import Conversation, ConversationLink, Message
from helpdesk.events.models import Event
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db(transaction=True)


def hears(company: Company, at: datetime, text: str, conversation: int | None = None) -> Message:
    inbound = conversations.Inbound(
        channel="email", customer=company.carol, at=at, text=text, conversation_id=conversation
    )
    return conversations.receive_message(inbound)


def at_once(*steps: Callable[[], object]) -> list[Exception]:
    """Run the steps side by side; what they refused."""
    ready = Barrier(len(steps))

    def run(step: Callable[[], object]) -> Exception | None:
        try:
            ready.wait()
            step()
        except ValueError as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(steps)) as threads:
        return [error for error in threads.map(run, steps) if error is not None]


def test_a_message_is_split_off_once(company: Company, at: datetime) -> None:
    first = hears(company, at, "One.")
    pk = first.conversation_id
    second = hears(company, at, "Two.", pk)

    def split() -> object:
        return conversations.split(pk, [second.pk], company.grace, at=at)

    refused = at_once(split, split, split, split)
    assert len(refused) == 3 and all(isinstance(error, splitting.CannotSplit) for error in refused)
    assert Conversation.objects.count() == 2 and ConversationLink.objects.count() == 1
    assert list(first.conversation.messages.all()) == [first]
    for conversation in Conversation.objects.all():
        seqs = list(Event.objects.filter(conversation=conversation).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, conversation.last_seq + 1))


def test_something_stays_when_two_split_different_messages(company: Company, at: datetime) -> None:
    first = hears(company, at, "One.")
    pk = first.conversation_id
    second = hears(company, at, "Two.", pk)
    refused = at_once(
        lambda: conversations.split(pk, [first.pk], company.grace, at=at),
        lambda: conversations.split(pk, [second.pk], company.ada, at=at),
    )
    assert len(refused) == 1 and Conversation.objects.get(pk=pk).messages.count() == 1


def test_three_at_once_close_no_circle(company: Company, at: datetime) -> None:
    a, b, c = (hears(company, at, text).conversation_id for text in "abc")
    refused = at_once(
        *(
            lambda parent=parent, child=child: conversations.relate(parent, "child", child, company.ada, at=at)
            for parent, child in ((a, b), (b, c), (c, a))
        )
    )
    assert len(refused) == 1 and isinstance(refused[0], linking.CannotLink)
    assert ConversationLink.objects.count() == 2


def test_two_that_continue_each_other_at_once_make_no_ring(company: Company, at: datetime) -> None:
    for number in range(5):
        a, b = (hears(company, at, f"{text} {number}").conversation_id for text in "ab")
        refused = at_once(
            lambda a=a, b=b: merging.link(a, b, company.ada, at=at),
            lambda a=a, b=b: merging.link(b, a, company.grace, at=at),
        )
        assert len(refused) == 1 and isinstance(refused[0], merging.CannotLink)
