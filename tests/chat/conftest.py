"""Sockets and chats for the tests of this folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest
import time_machine
from django.utils.timezone import now

from chat import chats, leaving, limits, sessions, visitor_presence
from chat.models import Chat, Visit, Widget, WidgetSecret
from helpdesk.events import secrets
from tests.chat.agents import Desks
from tests.chat.continuing import SECOND, UMA, begin, visitor, work
from tests.chat.visiting import KEY, SECRET
from tests.chat.visitor_pages import Page
from tests.fixtures.company import Company
from tests.fixtures.site import Site


@pytest.fixture
def desks(site: Site) -> Iterator[Desks]:
    opened = Desks(site)
    yield opened
    opened.close()


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The conversations whose visitor has the panel before their eyes: none, until a test says so."""
    seen: set[int] = set()
    monkeypatch.setattr(visitor_presence, "is_watching", seen.__contains__)
    return seen


@pytest.fixture(autouse=True)
def gone(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The conversations whose visitor has no page open any more: none, until a test says so."""
    left: set[int] = set()
    monkeypatch.setattr(leaving, "is_there", lambda conversation_id: conversation_id not in left)
    return left


@pytest.fixture
def umas_chat(company: Company, at: datetime) -> Chat:
    """Uma, vouched for, has asked something and Grace is there."""
    chat = begin(visitor(at, signed=UMA), "My site is down?", at=at)
    chats.join(chat.pk, company.grace, at=at + SECOND)
    work(at + SECOND)
    return chat


@pytest.fixture
def page(site: Site) -> Iterator[Callable[..., Page]]:
    """Opens visitors' sockets, and closes them all."""
    with ExitStack() as closing:
        yield lambda **headers: Page(site, closing, **headers)


@pytest.fixture
def session(company: Company) -> tuple[Visit, str]:
    """A stranger's session, and its token."""
    return sessions.open_visit(Widget.objects.get(key="pk_demo"), None, at=now())


@pytest.fixture
def monday(company: Company, at: datetime) -> Iterator[None]:
    """Time stands still, and nobody has asked for anything yet."""
    limits.forget()
    with time_machine.travel(at, tick=False):
        yield


@pytest.fixture
def shop(company: Company, at: datetime) -> Widget:
    """The demo widget, with a secret."""
    widget = Widget.objects.get(key=KEY)
    WidgetSecret.objects.create(widget=widget, kid="k1", sealed=secrets.encrypt(SECRET), created_at=at)
    return widget
