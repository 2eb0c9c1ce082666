"""The visitors' socket: how it begins, what it brings, and what ends it."""

import json
from uuid import uuid4

import pytest
from django.utils.timezone import now
from websockets.exceptions import InvalidStatus

from chat import frames, limits, sessions, visitor_feed, visitor_socket, whispers
from chat.models import Chat, Widget
from helpdesk.conversations import actions as conversations
from helpdesk.events.models import Event
from tests.chat.agents import Desks
from tests.chat.continuing import begin, say
from tests.chat.visitor_pages import Opened, Session
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(session: Session) -> Chat:
    return begin(session[0], "Hello", at=now())


def test_what_is_said_arrives_in_order_from_where_the_page_was(
    page: Opened, session: Session, chat: Chat, company: Company
) -> None:
    visit, token = session
    say(visit, chat, "one", at=now())
    one = page()
    welcome = one.hello(token, chat, after=1)
    one.text("one")
    conversations.reply(chat.pk, company.grace, "two", at=now())
    one.text("two")
    conversations.note(chat.pk, company.grace, "for us", at=now())
    say(visit, chat, "three", at=now())
    one.text("three")

    assert welcome["conv"] == str(chat.public_id) and welcome["head"] == 2
    assert one.numbers() == list(range(2, one.numbers()[-1] + 1))
    assert "for us" not in json.dumps(one.said)


def test_who_comes_back_waits_again(page: Opened, session: Session, chat: Chat) -> None:
    # Whatever hour this test runs at.
    Chat.objects.update(mode=Chat.Mode.CHAT, state=Chat.State.LEFT, ended_at=None, unseen_since=now())

    one = page()
    welcome = one.hello(session[1], chat)

    assert welcome["chat"]["state"] == "waiting"
    assert one.until(lambda frame: frame["t"] == "queue")["position"] == 1
    assert Event.objects.filter(conversation=chat.pk, kind="chat.returned").exists()


def test_a_gap_is_filled_on_demand(page: Opened, session: Session, chat: Chat) -> None:
    visit, token = session
    one = page()
    one.hello(token, chat)
    one.text("Hello")
    say(visit, chat, "one", at=now())
    one.text("one")

    before = len(one.said)
    one.say("sync", after=1)
    one.text("one")
    assert next(frame["seq"] for frame in one.said[before:] if "seq" in frame) == 2


def test_who_was_away_too_long_begins_anew(
    page: Opened, session: Session, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor_socket, "MOST_CAUGHT_UP", 2)
    for number in range(4):
        say(session[0], chat, str(number), at=now())
    one = page()
    one.hello(session[1], chat)

    reset = one.until(lambda frame: frame["t"] == "reset")
    head = Chat.objects.get().conversation.last_public_seq
    assert (reset["why"], reset["head"]) == ("old", head)
    say(session[0], chat, "after it", at=now())
    assert one.text("after it")["seq"] == head + 1


@pytest.mark.parametrize("by_sync", [False, True])
def test_who_is_ahead_of_a_restored_backup_begins_anew(
    page: Opened, session: Session, chat: Chat, by_sync: bool
) -> None:
    one = page()
    one.hello(session[1], chat, after=0 if by_sync else 40)
    if by_sync:
        one.text("Hello")
        one.say("sync", after=40)

    reset = one.until(lambda frame: frame["t"] == "reset")
    assert (reset["why"], reset["head"]) == ("ahead", 1)
    say(session[0], chat, "after it", at=now())
    assert one.text("after it")["seq"] == 2


def test_two_tabs_see_the_same(page: Opened, session: Session, chat: Chat, company: Company) -> None:
    one, two = page(), page()
    one.hello(session[1], chat)
    two.hello(session[1], chat)
    for number in range(5):
        conversations.reply(chat.pk, company.grace, str(number), at=now())
    one.text("4")
    two.text("4")

    shown = [[frame for frame in tab.said if "seq" in frame] for tab in (one, two)]
    assert [[frame["seq"] for frame in tab] for tab in shown] == [list(range(1, len(shown[0]) + 1))] * 2
    assert [frame["d"].get("text") for frame in shown[0]] == [frame["d"].get("text") for frame in shown[1]]


def test_reading_is_kept_and_never_goes_back(page: Opened, session: Session, chat: Chat, company: Company) -> None:
    answer = conversations.reply(chat.pk, company.grace, "Here I am", at=now())
    one = page()
    one.hello(session[1], chat)
    last = one.text("Here I am")["seq"]
    for upto in (10**15, 1):
        one.say("read", upto=upto)
    # Frames are followed one after the other: when this is answered, those have been.
    one.say("sync", after=last - 1)
    one.text("Here I am")

    assert Chat.objects.get().visitor_read >= last
    answer.refresh_from_db()
    assert answer.delivery == "delivered"


def test_typing_passes_both_ways(page: Opened, session: Session, chat: Chat, desks: Desks, company: Company) -> None:
    desk = desks.of(company.grace)
    desk.hello()
    desk.say("focus", conv=chat.pk, do="viewing")
    one = page()
    one.hello(session[1], chat)
    one.text("Hello")

    one.say("typing")
    typed = desk.until(lambda frame: frame["t"] == "typing")
    whispers.whisper(chat.pk, whispers.VISITOR, {"t": "typing", "by": "Grace", "ttl": 6000})
    told = one.until(lambda frame: frame["t"] == "typing")

    assert (typed["conv"], told["by"]) == (chat.pk, "Grace")


def test_unknown_frames_are_ignored(page: Opened, session: Session, chat: Chat) -> None:
    one = page()
    one.hello(session[1], chat)
    one.say("dance", with_="me")
    say(session[0], chat, "still there", at=now())

    one.text("still there")


def test_a_page_without_a_conversation_is_welcome(page: Opened, session: Session) -> None:
    welcome = page().hello(session[1])

    assert (welcome["conv"], welcome["head"]) == (None, 0)


def test_a_page_without_a_conversation_hears_a_heart_beat(
    page: Opened, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor_feed, "BEAT_SECONDS", 0.1)
    one = page()
    one.hello(session[1])

    assert one.until(lambda frame: frame["t"] == "ping")["head"] == 0


# How it ends.


def test_who_says_nothing_is_closed(page: Opened, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor_socket, "HELLO_SECONDS", 0.1)

    assert page().closed_with() == frames.NO_HELLO


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("{", frames.BAD_FRAME),
        ("[]", frames.BAD_FRAME),
        ('{"t": 7}', frames.BAD_FRAME),
        ('{"t": "hello", "v": 1, "session": "\\ud800"}', frames.BAD_FRAME),
        ("[" * 20_000, frames.BAD_FRAME),
        (json.dumps({"t": "hello", "v": 1, "pad": "x" * visitor_socket.LARGEST_FRAME}), frames.BAD_FRAME),
        ('{"t": "hello", "v": 1, "session": "x", "conv": "7"}', frames.BAD_FRAME),
        ('{"t": "hello", "v": 1, "session": "x", "after": -1}', frames.BAD_FRAME),
        ('{"t": "typing"}', frames.NO_HELLO),
        ('{"t": "hello", "v": 9}', frames.OLD_VERSION),
        ('{"t": "hello", "v": 1}', frames.LOGGED_OUT),
        ('{"t": "hello", "v": 1, "session": "nobody"}', frames.LOGGED_OUT),
    ],
)
def test_who_begins_wrongly_is_told_why(page: Opened, company: Company, first: str, code: int) -> None:
    one = page()
    one.socket.send(first)

    assert one.closed_with() == code


def test_bytes_are_no_frame(page: Opened, session: Session) -> None:
    one = page()
    one.hello(session[1])
    one.socket.send(b"\x00\x01")

    assert one.closed_with() == frames.BAD_FRAME


def test_anothers_conversation_is_not_told(page: Opened, chat: Chat) -> None:
    _visit, token = sessions.open_visit(Widget.objects.get(key="pk_demo"), None, at=now())
    for public_id in (chat.public_id, uuid4()):
        one = page()
        one.say("hello", v=1, session=token, conv=str(public_id))
        assert one.closed_with() == frames.FORBIDDEN
        assert not one.said


def test_a_session_of_another_widget_is_none(page: Opened, session: Session) -> None:
    one = page()
    one.say("hello", v=1, key="pk_other", session=session[1])

    assert one.closed_with() == frames.LOGGED_OUT


def test_pages_of_other_sites_have_no_socket(page: Opened, company: Company) -> None:
    with pytest.raises(InvalidStatus) as refused:
        page(Origin="https://evil.example")

    assert refused.value.response.status_code == 403


def test_too_many_frames_are_too_many(page: Opened, session: Session, chat: Chat) -> None:
    one = page()
    one.hello(session[1], chat)
    for _ in range(visitor_socket.BURST + 20):
        one.say("pong", head=1)

    assert one.closed_with() == frames.SLOW_DOWN


def test_too_many_sockets_are_too_many(page: Opened, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOCKETS_OF_VISIT", 1)
    page().hello(session[1])
    second = page()
    second.say("hello", v=1, session=session[1])

    assert second.closed_with() == frames.SLOW_DOWN


def test_a_session_that_ends_takes_its_sockets_along(
    page: Opened, session: Session, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor_feed, "BEAT_SECONDS", 0.1)
    visit, token = session
    one = page()
    one.hello(token, chat)
    one.until(lambda frame: frame["t"] == "ping")

    sessions.end(visit, at=now())

    assert one.closed_with() == frames.LOGGED_OUT
