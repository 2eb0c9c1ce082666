"""For those whose proxy breaks sockets: the same frames, how things stand, and a way to pass on what is not said."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.utils.timezone import now

from chat import chats, sessions, visitor_presence
from chat.models import Chat, PageEvent, Widget
from tests.chat.agents import Desks
from tests.chat.continuing import begin, say
from tests.chat.visitor_pages import SECONDS, Frame, Opened, Session
from tests.fixtures.company import Company
from tests.fixtures.site import Site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(session: Session) -> Chat:
    return begin(session[0], "Hello", at=now())


def poll(site: Site, token: str, chat: Chat | str, **asked: int) -> httpx.Response:
    public_id = chat if isinstance(chat, str) else chat.public_id
    url = f"{site.url}/chat/api/conversations/{public_id}/events"
    return httpx.get(url, params=asked, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=SECONDS)


def facts(answer: Frame) -> list[Frame]:
    """What of it stands in the log."""
    return [frame for frame in answer["frames"] if "seq" in frame]


def test_a_long_poll_brings_the_same_frames(site: Site, page: Opened, session: Session, chat: Chat) -> None:
    say(session[0], chat, "one", at=now())
    one = page()
    one.hello(session[1], chat)
    one.text("one")

    answer = poll(site, session[1], chat, after=0, wait=5).json()

    assert facts(answer) == [frame for frame in one.said if "seq" in frame]
    assert answer["head"] == 2
    nothing = poll(site, session[1], chat, after=2).json()
    assert (nothing["head"], facts(nothing)) == (2, [])


def test_a_long_poll_says_how_things_stand(site: Site, session: Session, chat: Chat, company: Company) -> None:
    visitor_presence.drop(chat.pk)
    # Whatever hour this test runs at.
    Chat.objects.update(mode=Chat.Mode.CHAT, state=Chat.State.WAITING, ended_at=None)
    first, last = (poll(site, session[1], chat, after=1, panel=panel).json()["frames"] for panel in (1, 0))

    assert [frame["t"] for frame in first] == ["avail", "queue"]
    assert first[1]["position"] == 1
    assert last == first
    assert not visitor_presence.is_watching(chat.pk)
    poll(site, session[1], chat, after=1, panel=1)
    assert visitor_presence.is_watching(chat.pk)
    chats.join(chat.pk, company.grace, at=now())
    assert "queue" not in [frame["t"] for frame in poll(site, session[1], chat, after=1).json()["frames"]]


def test_a_long_poll_is_a_sign_of_life(site: Site, session: Session, chat: Chat) -> None:
    visitor_presence.drop(chat.pk)
    Chat.objects.update(mode=Chat.Mode.CHAT, state=Chat.State.LEFT, ended_at=None, unseen_since=now())

    answer = poll(site, session[1], chat, after=1).json()

    assert {"t": "queue", "position": 1} in answer["frames"]
    chat.refresh_from_db()
    assert (chat.state, chat.unseen_since) == (Chat.State.WAITING, None)
    # Whoever says nothing of a panel takes nothing back of what a page has said.
    poll(site, session[1], chat, after=1, panel=1)
    poll(site, session[1], chat, after=1)
    assert visitor_presence.is_watching(chat.pk)


def test_who_is_ahead_of_the_log_begins_anew_by_long_poll(site: Site, session: Session, chat: Chat) -> None:
    answer = poll(site, session[1], chat, after=40, wait=5).json()

    assert answer == {"head": 1, "frames": [{"t": "reset", "why": "ahead", "head": 1}]}


def test_what_passes_is_posted_by_those_without_a_socket(
    site: Site, session: Session, chat: Chat, desks: Desks, company: Company
) -> None:
    Widget.objects.update(sees_pages=True)
    desk = desks.of(company.grace)
    desk.hello()
    desk.say("focus", conv=chat.pk, do="viewing")
    desk.until(lambda frame: frame["t"] == "who")

    def post(**frame: Any) -> int:
        url = f"{site.url}/chat/api/conversations/{chat.public_id}/whispers"
        bearer = {"Authorization": f"Bearer {session[1]}"}
        return httpx.post(url, json=frame, headers=bearer, trust_env=False, timeout=SECONDS).status_code

    assert post(t="typing") == post(t="dance") == post(t="page", url="javascript:alert(1)") == 204
    typed = desk.until(lambda frame: frame["t"] == "typing")
    assert post(t="page", url="https://shop.example/cart", title="Cart") == 204
    moved = desk.until(lambda frame: frame["t"] == "vis" and "page" in frame)
    assert post(t="track", name="Cart filled", props={"items": 3}) == 204

    assert (typed["conv"], typed["ttl"]) == (chat.pk, 6000)
    assert moved["page"] == {"url": "https://shop.example/cart", "title": "Cart"}
    told = PageEvent.objects.filter(visit=session[0].pk).values_list("name", "props")
    assert list(told) == [("Cart filled", {"items": "3"})]


def test_a_long_poll_is_for_its_visitor(site: Site, session: Session, chat: Chat) -> None:
    _visit, other = sessions.open_visit(Widget.objects.get(key="pk_demo"), None, at=now())

    assert poll(site, "nobody", chat).status_code == 401
    assert poll(site, other, chat).status_code == 404
    assert poll(site, session[1], str(uuid4())).status_code == 404
    assert poll(site, session[1], "-" * 36).status_code == 404
