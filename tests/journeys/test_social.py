"""An outage on the networks: told to everybody, complained about in public, settled in private."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.events import outbox
from social import accounts, announcing, answering, filing, on_behalf, polling
from social.models import Account, AnnouncementPost, Person
from status import incidents
from status.incidents import Opening, Words
from tests.fixtures.company import Company
from tests.fixtures.providers import facebook as facebooks
from tests.fixtures.providers import x as xs
from tests.fixtures.providers.facebook import FacebookServer
from tests.fixtures.providers.x import XServer
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db


@pytest.fixture
def servers(company: Company, settings: Any, at: datetime) -> Iterator[tuple[XServer, FacebookServer]]:
    accounts.forget_connections()
    with ExitStack() as stack:
        x, facebook = stack.enter_context(XServer()), stack.enter_context(FacebookServer())
        settings.SOCIAL_BASE_URLS = {"x": x.url, "facebook": facebook.url}
        secrets = {
            "x": {"access_token": xs.TOKEN, "consumer_secret": xs.CONSUMER_SECRET},
            "facebook": {"page_token": facebooks.TOKEN, "app_secret": facebooks.SECRET},
        }
        for name, us in (("x", xs.US), ("facebook", facebooks.PAGE)):
            Account.objects.create(
                network=name,
                name=f"Demo on {name}",
                external_id=us,
                secrets=accounts.close(secrets[name]),
                state=Account.State.CONNECTED,
                created_at=at,
            )
        yield x, facebook


def _work(at: datetime) -> None:
    outbox.drain(at)
    announcing.announce_due(at=at)
    announcing.announce_due(at=at)


def _read(at: datetime) -> None:
    Account.objects.update(poll_at=at)
    polling.poll_due(at=at)
    filing.file_arrivals(at)


def test_an_outage_is_told_complained_about_and_settled(
    servers: tuple[XServer, FacebookServer], company: Company, at: datetime
) -> None:
    x, facebook = servers
    web = component("web14", at)
    opening = Opening("Disks of web14 gone", Words("investigating", "We look at them.", {web.pk: "major_outage"}))
    incident = incidents.open_incident(opening, company.ada, at=at)
    _work(at)
    assert ["Disks of web14 gone" in one["text"] for one in x.posts] == [True]
    assert ["Disks of web14 gone" in one["message"] for one in facebook.posts] == [True]
    assert set(AnnouncementPost.objects.values_list("state", flat=True)) == {AnnouncementPost.State.SENT}

    # Somebody is angry below it, and we take it out of the public.
    x.user("7", "maria")
    below = {"referenced_tweets": [{"type": "replied_to", "id": x.posts[0]["id"]}]}
    x.mention("7", "@demo again?! I want my money back", at + timedelta(minutes=5), thread=x.posts[0]["id"], **below)
    _read(at + timedelta(minutes=6))
    thread = Conversation.objects.get(channel="x")
    ticket = on_behalf.open_ticket(thread.pk, company.ada, at=at + timedelta(minutes=7))
    assert on_behalf.open_ticket(thread.pk, company.ada, at=at + timedelta(minutes=7)).pk == ticket.pk
    said = "Sorry for this! We look at your contract and write to you in private."
    later = at + timedelta(minutes=8)
    conversations.reply(thread.pk, company.ada, said, at=later)
    conversations.reply(ticket.pk, company.ada, "Your credit note: 12.50 EUR.", at=later)
    outbox.drain(later + timedelta(minutes=5))
    public = [one["text"] for one in x.posts]
    assert [text.endswith(said) for text in public] == [False, True]
    assert not any(word in text for text in public for word in ("12.50", f"#{ticket.pk}", "/social/claims/"))
    with pytest.raises(answering.Exposes):
        answering.check(
            thread, thread.social_thread, "Write to ada.secret@private-mail.example, or call +49 170 1234567"
        )

    # The link that makes the ticket theirs works once, for who has signed in.
    token = on_behalf.link(ticket.pk, at=later).rstrip("/").rpartition("/")[2]
    on_behalf.claim(token, company.carol, at=later)
    with pytest.raises(on_behalf.CannotClaim):
        on_behalf.claim(token, company.gil, at=later)
    ticket.refresh_from_db()
    assert ticket.customer == company.carol

    # In private they ask on, and are answered there.
    x.direct("7", "and when is it back?", at + timedelta(minutes=20))
    _read(at + timedelta(minutes=21))
    private = Conversation.objects.get(channel="x", social_thread__is_public=False)
    assert private.social_thread.person == Person.objects.get(handle="@maria")
    conversations.reply(private.pk, company.ada, "Within the hour.", at=at + timedelta(minutes=22))
    outbox.drain(at + timedelta(minutes=30))
    assert [one["text"] for one in x.directs] == ["Within the hour."]

    # It is over: the news stands below the first post.
    incidents.add_update(incident, Words("resolved", "New disks."), company.ada, at=at + timedelta(hours=1))
    _work(at + timedelta(hours=1))
    assert (x.posts[-1]["answers"], "New disks." in x.posts[-1]["text"]) == (x.posts[0]["id"], True)
    [answer] = facebook.comments
    assert (answer["below"], "New disks." in answer["message"]) == (facebook.posts[0]["id"], True)
    _work(at + timedelta(hours=2))
    assert (len(facebook.posts), len(facebook.comments), len(x.posts)) == (1, 1, 3)
