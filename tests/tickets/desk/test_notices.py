"""Who is told of what, by which way, and that quiet hours are quiet."""

import json
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from chat import log
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.events.actions import Fact, record
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
    ("channel", "priority", "chosen", "rings"),
    [
        ("chat", "normal", {}, True),
        ("chat", "normal", {"rings_for_chats": False}, False),
        ("email", "urgent", {}, False),
        ("email", "urgent", {"rings_for_urgent": True}, True),
        ("email", "high", {"rings_for_urgent": True}, False),
    ],
)
def test_what_nobody_has_taken_rings_where_an_agent_wants_it(
    channel: str, priority: str, chosen: dict[str, bool], rings: bool, company: Company
) -> None:
    team = Team.objects.create(name="Nights")
    team.members.set([company.grace])
    conversation = write(company.carol, now())
    Conversation.objects.filter(pk=conversation.pk).update(team=team)
    NotificationChoice.objects.create(user=company.grace, ways={"opened": [], "chat": []}, volume=20, **chosen)
    (event,) = Event.objects.filter(kind="conversation.opened")
    said: dict[str, Any] = {
        "customer": "Carol",
        "subject": "Broken",
        "preview": "",
        "channel": channel,
        "priority": priority,
    }
    if channel == "chat":
        said |= {"kind": "chat.offered", "data": {"agents": [company.grace.pk]}}
    vars(event).update(said, assignee_id=None)

    told = notices.live([event], {company.grace.pk})
    assert [(one["rings"], one["volume"], one["sound"]) for _user, _number, one in told] == [(True, 20, "")] * rings

    vars(event).update(assignee_id=company.linus.pk)
    assert notices.live([event], {company.grace.pk}) == []


def test_a_page_asks_what_still_waits(company: Company) -> None:
    waiting, taken = write(company.carol, now()), _assigned(company, company.grace, now())
    hidden = write(company.carol, now())
    team = Team.objects.create(name="Management", is_private=True)
    Conversation.objects.filter(pk=hidden.pk).update(team=team)

    numbers = f"{waiting.pk},{taken.pk},{hidden.pk},x,-1,{9**30}"
    answer = logged_in(company.grace).get("/desk/ringing/", {"only": numbers})

    assert answer.json() == {"waiting": [waiting.pk]}


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


def _chat_event(conversation: Conversation, kind: str, at: datetime, **data: Any) -> None:
    with transaction.atomic():
        record(Fact(kind, conversation.pk, data=data), at=at)


def test_a_chat_is_told_to_those_whom_it_names(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    _chat_event(conversation, "chat.offered", at, agent=company.grace.pk, agents=[company.grace.pk])
    _chat_event(conversation, "chat.nudged", at, nudge="most", agents=[company.ada.pk])
    assert _told("chat.offered") == {(company.grace.pk, notices.CHAT)}
    assert _told("chat.nudged") == {(company.ada.pk, notices.CHAT)}


def test_a_chat_of_a_private_team_is_told_to_nobody_else(company: Company, at: datetime) -> None:
    team = Team.objects.create(name="Secret", is_private=True)
    conversation = write(company.carol, at)
    Conversation.objects.filter(pk=conversation.pk).update(team=team)
    _chat_event(conversation, "chat.offered", at, agent=None, agents=[company.grace.pk, company.ada.pk])
    assert _told("chat.offered") == {(company.ada.pk, notices.CHAT)}


@pytest.mark.django_db(transaction=True)
def test_chats_ring_where_they_are_offered_and_not_in_quiet_hours(company: Company) -> None:
    conversation = write(company.carol, now())
    Conversation.objects.filter(pk=conversation.pk).update(channel="chat")
    _chat_event(conversation, "chat.offered", now(), agent=company.grace.pk, agents=[company.grace.pk])

    def heard() -> list[bool]:
        events = log.after(log.BEGINNING, 100)
        told = notices.live([one for one in events if one.kind == "chat.offered"], [company.grace.pk])
        return [frame["rings"] for _user, _conversation, frame in told]

    assert heard() == [True]
    NotificationChoice.objects.create(user=company.grace, rings_for_chats=False, ways={})
    assert heard() == [False]
    zone = now().astimezone(ZoneInfo("Europe/Berlin"))
    begin, end = (zone - timedelta(hours=1)).time(), (zone + timedelta(hours=1)).time()
    NotificationChoice.objects.update(rings_for_chats=True, quiet_from=begin, quiet_until=end)
    assert heard() == [False]


def test_a_browser_that_is_woken_counts(company: Company) -> None:
    values = {"endpoint": ENDPOINT, "p256dh": THEIR_PUBLIC, "auth": AUTH, "created_at": now()}
    PushSubscription.objects.create(user=company.grace, **values)
    assert notices.wakeable([company.grace.pk, company.ada.pk]) == {company.grace.pk}
