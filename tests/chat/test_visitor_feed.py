"""Open panels are told whether somebody is there to chat with, when that changes."""

import pytest
from django.utils.timezone import now

from chat import agents, visitor_feed, widgets
from chat.models import Chat, ChatAgent
from helpdesk.sla.models import Calendar
from tests.chat.continuing import begin
from tests.chat.visitor_pages import Opened, Page, Session
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(session: Session) -> Chat:
    return begin(session[0], "Hello", at=now())


def _is_live(one: Page) -> bool:
    return bool(one.until(lambda frame: frame["t"] == "avail")["avail"]["live"])


def test_open_panels_are_told_who_comes_and_goes(page: Opened, session: Session, chat: Chat, company: Company) -> None:
    Calendar.objects.update(is_office=False)
    ChatAgent.objects.update(state=ChatAgent.State.AWAY)
    widgets.forget(session[0].widget)
    with_chat, without = page(), page()
    welcome = with_chat.hello(session[1], chat)
    without.hello(session[1])
    with_chat.text("Hello")

    agents.choose(company.grace, ChatAgent.State.AVAILABLE, at=now())
    came = [_is_live(one) for one in (with_chat, without)]
    agents.choose(company.grace, ChatAgent.State.AWAY, at=now())
    went = [_is_live(one) for one in (with_chat, without)]

    assert (welcome["avail"]["live"], came, went) == (False, [True, True], [False, False])
    assert page().hello(session[1])["avail"]["live"] is False


def test_open_panels_are_told_that_the_office_closes_without_any_hint(
    page: Opened, session: Session, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor_feed, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(visitor_feed, "AVAILABILITY_SECONDS", 0.0)
    Calendar.objects.update(is_office=False)
    widgets.forget(session[0].widget)
    one = page()
    assert one.hello(session[1])["avail"]["open"] is True

    Calendar.objects.filter(pk=Calendar.objects.order_by("pk").values("pk")[:1]).update(is_office=True, week={})
    told = one.until(lambda frame: frame["t"] == "avail")

    assert told["avail"]["open"] is False
