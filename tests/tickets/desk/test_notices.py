"""Who is told of what, by which way, and that quiet hours are quiet."""

import json
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.events.outcomes import RetryLater
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.fixtures.engine import Engine, text_of
from tests.tickets.desk.test_webpush import AUTH, THEIR_PUBLIC, Browser
from tickets.desk import notices, telling, webpush
from tickets.desk.models import Mention, NotificationChoice, PushSubscription

ENDPOINT = "https://push.example/one"


def _assigned(company: Company, user: User, at: datetime) -> Conversation:
    conversation = write(company.carol, at)
    changes = conversations.Changes(assignee=user)
    conversations.change(conversation.pk, changes, actor=Actor.agent(company.ada), at=at)
    return conversation


def _mention(conversation: Conversation, author: User, user: User, at: datetime) -> None:
    note = conversations.note(conversation.pk, author, "@Grace please look", at=at)
    Mention.objects.create(conversation=conversation, message=note, user=user, at=at)


def _told(kind: str) -> set[tuple[int, str]]:
    return {(one.user_id, one.kind) for one in notices.told(Event.objects.filter(kind=kind))}


def test_a_new_conversation_is_told_to_its_team(company: Company, at: datetime) -> None:
    team = Team.objects.create(name="Nights")
    team.members.set([company.grace])
    Conversation.objects.filter(pk=write(company.carol, at).pk).update(team=team)
    assert _told("conversation.opened") == {(company.grace.pk, notices.OPENED)}


def test_an_assignee_is_told_of_what_others_do(company: Company, at: datetime) -> None:
    _assigned(company, company.grace, at)
    assert _told("conversation.assigned") == {(company.grace.pk, notices.ASSIGNMENT)}


def test_nobody_is_told_of_what_they_did_themselves(company: Company, at: datetime) -> None:
    _assigned(company, company.ada, at)
    assert _told("conversation.assigned") == set()


def test_who_may_not_see_it_is_not_told(company: Company, at: datetime) -> None:
    conversation = _assigned(company, company.grace, at)
    private = Team.objects.create(name="Management", is_private=True)
    Conversation.objects.filter(pk=conversation.pk).update(team=private)
    _mention(conversation, company.ada, company.grace, at)
    assert _told("note.written") == set()
    private.members.add(company.grace)
    assert _told("note.written") == {(company.grace.pk, notices.MENTION)}


def test_open_pages_are_told_as_their_agents_have_chosen(company: Company) -> None:
    at = now()
    conversation = _assigned(company, company.grace, at)
    _mention(conversation, company.ada, company.grace, at)
    events = list(Event.objects.filter(kind="note.written"))
    for event in events:
        event.customer, event.subject, event.preview = "Carol", "Broken", ""  # type: ignore[attr-defined]

    ((user, number, told),) = notices.live(events, {company.grace.pk, company.ada.pk})
    assert (user, number, told["toast"], told["sound"]) == (company.grace.pk, conversation.pk, True, "message")
    assert notices.live(events, {company.ada.pk}) == []

    NotificationChoice.objects.create(user=company.grace, ways={"mention": ["badge"]})
    ((_, _, told),) = notices.live(events, {company.grace.pk})
    assert (told["badge"], told["toast"], told["sound"]) == (True, False, "")


@pytest.mark.parametrize(
    ("begin", "end", "clock", "quiet"),
    [
        (time(22), time(7), time(23), True),
        (time(22), time(7), time(6, 59), True),
        (time(22), time(7), time(7), False),
        (time(12), time(13), time(12), True),
        (time(12), time(13), time(13), False),
        (None, None, time(3), False),
    ],
)
def test_quiet_hours(begin: time | None, end: time | None, clock: time, quiet: bool, at: datetime) -> None:
    choice = notices.Choice(quiet_from=begin, quiet_until=end)
    moment = at.replace(hour=clock.hour, minute=clock.minute)
    assert choice.is_quiet(moment) is quiet
    assert choice.ways_for(notices.MENTION, moment) >= ({notices.BADGE} if quiet else {notices.PUSH, notices.MAIL})


def test_a_mention_is_mailed_with_what_was_written(engine: Engine, company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    _mention(conversation, company.ada, company.grace, at)
    engine.work(at)
    engine.work(at)
    (mail,) = [one for one in engine.mails("grace@demo.example") if "mentioned you" in text_of(one)]
    assert "@Grace please look" in text_of(mail)


def test_without_the_choice_no_mail_leaves(engine: Engine, company: Company, at: datetime) -> None:
    NotificationChoice.objects.create(user=company.grace, ways={kind: [] for kind in notices.KINDS})
    conversation = _assigned(company, company.grace, at)
    _mention(conversation, company.ada, company.grace, at)
    engine.work(at)
    assert engine.mails("grace@demo.example") == []


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What was posted to push services."""
    posted: list[tuple[str, dict[str, Any]]] = []

    def send(endpoint: str, p256dh: str, auth: str, message: dict[str, Any], **_: object) -> None:
        posted.append((endpoint, message))

    monkeypatch.setattr(webpush, "send", send)
    return posted


def _subscribed(user: User, endpoint: str = ENDPOINT) -> PushSubscription:
    return PushSubscription.objects.create(
        user=user, endpoint=endpoint, p256dh=THEIR_PUBLIC, auth=AUTH, created_at=now()
    )


def test_an_agent_who_does_not_look_is_pushed(
    engine: Engine, company: Company, at: datetime, pushed: list[tuple[str, dict[str, Any]]]
) -> None:
    _subscribed(company.grace)
    conversation = _assigned(company, company.grace, at)
    engine.work(at)
    ((endpoint, message),) = pushed
    assert endpoint == ENDPOINT and "Carol Meyer" in message["text"]
    assert message["url"] == reverse("tickets:conversation", args=[conversation.pk])


def test_texts_can_be_hidden(
    engine: Engine, company: Company, at: datetime, pushed: list[tuple[str, dict[str, Any]]]
) -> None:
    _subscribed(company.grace)
    NotificationChoice.objects.create(user=company.grace, hides_text=True)
    conversation = _assigned(company, company.grace, at)
    engine.work(at)
    assert pushed[0][1]["text"] == f"#{conversation.pk}"


def test_an_agent_who_looks_at_the_desk_is_not_pushed(
    engine: Engine, company: Company, at: datetime, pushed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _subscribed(company.grace)
    monkeypatch.setattr("chat.presence.looking", lambda: {company.grace.pk})
    _assigned(company, company.grace, at)
    engine.work(at)
    assert pushed == []


def test_a_browser_that_has_unsubscribed_is_forgotten_and_the_others_are_told(
    engine: Engine, company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []

    def send(endpoint: str, *_: object, **__: object) -> None:
        if endpoint == ENDPOINT:
            raise webpush.Gone("410")
        reached.append(endpoint)

    monkeypatch.setattr(webpush, "send", send)
    _subscribed(company.grace)
    _subscribed(company.grace, ENDPOINT + "/two")
    _assigned(company, company.grace, at)
    engine.work(at)
    assert reached == [ENDPOINT + "/two"]
    assert list(PushSubscription.objects.values_list("endpoint", flat=True)) == [ENDPOINT + "/two"]


def test_a_service_that_is_down_is_asked_again(company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object, **__: object) -> None:
        raise RetryLater("503")

    monkeypatch.setattr(webpush, "send", send)
    _subscribed(company.grace)
    _assigned(company, company.grace, at)
    notices.plan(Event.objects.get(kind="conversation.assigned"), at)
    with pytest.raises(RetryLater):
        telling.push(Event.objects.get(kind="notice.planned"), at)
    telling.push(Event.objects.get(kind="notice.planned"), at + timedelta(hours=1))


def _post(client: Client, given: object) -> int:
    return client.post(reverse("tickets:subscribe"), json.dumps(given), content_type="application/json").status_code


def test_the_page_keeps_what_is_chosen(company: Company) -> None:
    client = logged_in(company.grace)
    given = {
        "mention:push": "on",
        "message:sound": "on",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "hides_text": "on",
    }
    assert client.post(reverse("tickets:notifications"), given).status_code == 302
    kept = NotificationChoice.objects.get(user=company.grace)
    assert kept.ways["mention"] == ["push"] and kept.ways["message"] == ["sound"] and kept.ways["risk"] == []
    assert (kept.quiet_from, kept.quiet_until, kept.hides_text) == (time(22), time(7), True)
    assert b'value="22:00"' in client.get(reverse("tickets:notifications")).content


def test_half_of_quiet_hours_is_refused(company: Company) -> None:
    client = logged_in(company.grace)
    answer = client.post(reverse("tickets:notifications"), {"quiet_from": "22:00", "quiet_until": "nonsense"})
    assert answer.status_code == 422
    assert not NotificationChoice.objects.exists()


def test_browsers_come_and_go(company: Company) -> None:
    client = logged_in(company.grace)
    browser = Browser()
    for number in range(12):
        keys = {"p256dh": browser.p256dh, "auth": browser.auth}
        assert _post(client, {"endpoint": f"{ENDPOINT}/{number}", "keys": keys}) == 204
    kept = PushSubscription.objects.filter(user=company.grace)
    assert kept.count() == 10 and not kept.filter(endpoint=f"{ENDPOINT}/0").exists()
    one = kept.latest("pk")
    logged_in(company.linus).post(reverse("tickets:forget_browser", args=[one.pk]))
    assert kept.count() == 10
    client.post(reverse("tickets:forget_browser", args=[one.pk]))
    assert kept.count() == 9


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"endpoint": ENDPOINT},
        {"endpoint": ENDPOINT, "keys": {"p256dh": "AAAA", "auth": AUTH}},
        {"endpoint": "http://push.example/", "keys": {"p256dh": THEIR_PUBLIC, "auth": AUTH}},
        {"endpoint": "javascript:alert(1)", "keys": {"p256dh": THEIR_PUBLIC, "auth": AUTH}},
    ],
)
def test_what_is_no_subscription_is_refused(company: Company, given: object) -> None:
    assert _post(logged_in(company.grace), given) == 400
    assert not PushSubscription.objects.exists()


def test_the_worker_is_served_from_the_desk(company: Company) -> None:
    answer = logged_in(company.grace).get("/desk/worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert b"showNotification" in answer.content
