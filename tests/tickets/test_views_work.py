"""Work on a conversation from its page: changes that can be taken back, sleep, spam, what must be filled in."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils.timezone import now

from helpdesk.conversations.models import Conversation, CustomField
from helpdesk.customers.models import Team
from helpdesk.events.models import Event
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk.models import BlockedSender


@pytest.fixture
def conversation(company: Company, at: datetime) -> Conversation:
    return write(company.carol, at)


@pytest.fixture
def grace(company: Company) -> Client:
    return logged_in(company.grace)


def _path(conversation: Conversation, part: str = "") -> str:
    return f"/desk/conversations/{conversation.pk}/{part}"


def _now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def test_a_change_is_offered_back_and_taken_back(grace: Client, conversation: Conversation) -> None:
    change = {"priority": "urgent", "was_priority": "normal", "tags": "slow, dns", "was_tags": ""}
    tags = set(conversation.tags.all())

    answer = grace.post(_path(conversation, "work/"), change)
    page = grace.get(answer["Location"]).content.decode()
    after, until = parse_qs(urlsplit(answer["Location"]).query)["undo"][0].split("-")
    back = grace.post(_path(conversation, "undo/"), {"after": after, "until": until}, follow=True).content.decode()

    assert "priority Normal → Urgent" in page and 'class="toast undo"' in page
    assert "Taken back." in back
    assert (_now(conversation).priority, set(_now(conversation).tags.all())) == ("normal", tags)
    again = grace.post(_path(conversation, "undo/"), {"after": after, "until": until}, follow=True).content.decode()
    assert "It is too late to take that back" in again


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 40])
def test_odd_ranges_take_nothing_back(after: str, grace: Client, conversation: Conversation) -> None:
    assert grace.post(_path(conversation, "undo/"), {"after": after, "until": "x"}).status_code == 302
    assert grace.get(f"{_path(conversation)}?undo={after}-9&sent={after}").status_code == 200


def test_nothing_changed_offers_nothing(grace: Client, conversation: Conversation) -> None:
    answer = grace.post(_path(conversation, "work/"), {"priority": "normal", "was_priority": "normal"})

    assert answer["Location"] == _path(conversation)


def test_it_sleeps_and_wakes(grace: Client, conversation: Conversation) -> None:
    grace.post(_path(conversation, "snooze/"), {"until": "tomorrow"})
    until = _now(conversation).snoozed_until
    assert until is not None and now() < until < now() + timedelta(days=2)

    grace.post(_path(conversation, "snooze/"), {"until": ""})
    assert _now(conversation).snoozed_until is None


@pytest.mark.parametrize("given", [{"until": "custom", "custom": "1999-01-01T00:00"}, {"until": "never"}])
def test_it_does_not_sleep_until_the_past(given: dict[str, str], grace: Client, conversation: Conversation) -> None:
    page = grace.post(_path(conversation, "snooze/"), given, follow=True).content.decode()

    assert "Choose a time in the coming year." in page and _now(conversation).snoozed_until is None


def test_what_is_resolved_does_not_sleep(grace: Client, conversation: Conversation) -> None:
    grace.post(_path(conversation, "work/"), {"status": "resolved", "was_status": "new"})

    page = grace.post(_path(conversation, "snooze/"), {"until": "tomorrow"}, follow=True).content.decode()

    assert "What is resolved cannot be put off." in page


@pytest.mark.parametrize(("wanted", "handle"), [("address", "spam@bulk.example"), ("domain", "@bulk.example")])
def test_spam_is_closed_and_its_sender_blocked_and_both_taken_back(
    wanted: str, handle: str, grace: Client, conversation: Conversation, company: Company
) -> None:
    company.carol.email = "spam@bulk.example"
    company.carol.save()

    grace.post(_path(conversation, "spam/"), {"is_spam": "1", "block": wanted})
    assert _now(conversation).is_spam and BlockedSender.objects.get().handle == handle
    assert f"No mail is taken from {handle}" in grace.get(_path(conversation)).content.decode()

    grace.post(_path(conversation, "spam/"), {"is_spam": "0", "block": "nobody"})
    assert not _now(conversation).is_spam and not BlockedSender.objects.exists()
    kinds = set(Event.objects.filter(conversation=conversation).values_list("kind", flat=True))
    assert {"sender.blocked", "sender.unblocked", "conversation.marked_as_spam"} <= kinds


def test_required_fields_come_before_resolving(grace: Client, conversation: Conversation) -> None:
    CustomField.objects.create(key="cause", name="Cause", is_required=True)
    resolve = {"status": "resolved", "was_status": "new"}

    page = grace.post(_path(conversation, "work/"), resolve, follow=True).content.decode()
    reply = grace.post(_path(conversation, "messages/"), {"kind": "reply", "text": "Done", "then": "resolved"})

    assert "Fill in before it is resolved: Cause." in page and reply.status_code == 422
    assert "Done</textarea>" in reply.content.decode()
    assert _now(conversation).status == "new"
    grace.post(_path(conversation, "fields/"), {"custom_cause": "A cable", "was_custom_cause": ""})
    grace.post(_path(conversation, "work/"), resolve)
    assert (_now(conversation).status, _now(conversation).custom) == ("resolved", {"cause": "A cable"})


def test_an_unfit_value_changes_nothing(grace: Client, conversation: Conversation) -> None:
    CustomField.objects.create(key="size", name="Size", kind="number")

    page = grace.post(_path(conversation, "fields/"), {"custom_size": "big", "was_custom_size": ""}, follow=True)

    assert "Size: this is no number." in page.content.decode() and _now(conversation).custom == {}


def test_moved_out_of_sight_the_inbox_is_shown(grace: Client, conversation: Conversation) -> None:
    secret = Team.objects.create(name="Secret", is_private=True)

    answer = grace.post(_path(conversation, "work/"), {"team": secret.pk, "was_team": ""})

    assert answer["Location"] == "/desk/"
    assert grace.get(_path(conversation)).status_code == 404
