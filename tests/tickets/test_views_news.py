"""What a conversation's open page is told: what came since it was drawn, and all of it where only that will do."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import answers, merging, splitting
from helpdesk.conversations.models import Conversation
from helpdesk.events.actors import Actor
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk import thread

# The session and its agent, asked for by every page.
BEFORE = 2
_ITEM = re.compile(r'<li class="(?:day">([^<]*)<|sys[^"]*"><span>([^<]*)<|msg[^"]*" id="(m\d+)")')


@pytest.fixture
def later(at: datetime) -> datetime:
    return at + timedelta(minutes=10)


def _shown(answer: Any) -> list[str]:
    """The thread's items in a page or in news, as they are read: days, sentences, messages by their ids."""
    return ["".join(found) for found in _ITEM.findall(answer.content.decode())]


def _cursor(answer: Any) -> str:
    found = re.search(r'id="cursor"[^>]* data-query="([^"]*)"', answer.content.decode())
    assert found is not None
    return unescape(found.group(1))


def _parts(answer: Any) -> set[str]:
    """What is to be put where it stands already."""
    tags = re.findall(r"<[a-z]+ [^>]*hx-swap-oob[^>]*>", answer.content.decode())
    return {found.group(1) for tag in tags if (found := re.search(r' id="([^"]+)"', tag))} - {"cursor"}


class _Open:
    """A page that keeps itself up to date."""

    def __init__(self, browser: Client, conversation: Conversation) -> None:
        self.path = f"/desk/conversations/{conversation.pk}/"
        self.browser = browser
        page = browser.get(self.path)
        self.items, self.cursor = _shown(page), _cursor(page)

    def look(self) -> Any:
        """The news, put in as static/js/conversation.js does."""
        answer = self.browser.get(f"{self.path}news/?{self.cursor}")
        if answer.status_code == 204:
            return answer
        shown = _shown(answer)
        self.cursor = _cursor(answer)
        known = [item for item in shown if item in _parts(answer)]
        self.items = shown if answer.headers.get("HX-Reswap") else self.items + [i for i in shown if i not in known]
        return answer


def test_news_are_what_came_and_nothing_else(
    company: Company, at: datetime, later: datetime, django_assert_max_num_queries: Any
) -> None:
    conversation = write(company.gil, at, text="The first words.")
    ada = _Open(logged_in(company.ada), conversation)
    note = conversations.note(conversation.pk, company.grace, "I am on it.", at=later)
    ada.browser.get("/desk/")

    with django_assert_max_num_queries(BEFORE + 3):
        news = ada.look()

    assert _shown(news) == [f"m{note.pk}"] and _parts(news) == set()
    assert "The first words." not in news.content.decode()
    assert ada.look().status_code == 204


def test_news_put_together_are_the_whole_thread(company: Company, at: datetime) -> None:
    conversation = write(company.gil, at)
    ada = _Open(logged_in(company.ada), conversation)
    deeds: list[Callable[[datetime], object]] = [
        lambda t: conversations.note(conversation.pk, company.grace, "A note.", at=t),
        lambda t: conversations.reply(conversation.pk, company.grace, "An answer.", at=t),
        lambda t: conversations.change(
            conversation.pk, conversations.Changes(priority="urgent"), actor=Actor.agent(company.grace), at=t
        ),
        lambda t: conversations.note(conversation.pk, company.ada, "Another note.", at=t),
        lambda t: conversations.change(
            conversation.pk, conversations.Changes(status="resolved"), actor=Actor.agent(company.ada), at=t
        ),
    ]
    for number, deed in enumerate(deeds):
        deed(at + timedelta(minutes=number + 1))
        if number % 2:
            ada.look()
    ada.look()

    whole = _Open(ada.browser, conversation)
    assert ada.items == whole.items
    assert len(set(ada.items)) == len(ada.items) > 8


def test_what_may_have_changed_beside_the_thread_comes_along(company: Company, at: datetime, later: datetime) -> None:
    conversation = write(company.gil, at)
    ada = _Open(logged_in(company.ada), conversation)
    conversations.reply(conversation.pk, company.grace, "I look into it.", at=later)

    news = ada.look()

    assert _parts(news) == {"head", "alerts", "facts", "work"}
    assert "HX-Reswap" not in news.headers


def test_a_message_that_left_is_put_right_where_it_stands(company: Company, at: datetime, later: datetime) -> None:
    conversation = write(company.gil, at)
    reply = conversations.reply(conversation.pk, company.grace, "I look into it.", at=later)
    ada = _Open(logged_in(company.ada), conversation)
    answers.deliver(reply.pk, at=later)

    news = ada.look()

    assert _shown(news)[0] == f"m{reply.pk}" and f"m{reply.pk}" in _parts(news)
    assert ada.items == _Open(ada.browser, conversation).items


def test_who_is_merged_into_is_drawn_with_what_it_was_given(company: Company, at: datetime, later: datetime) -> None:
    target, source = write(company.gil, at), write(company.gil, at)
    ada = _Open(logged_in(company.ada), target)
    merging.merge(source.pk, target.pk, company.grace, at=later)
    assert "facts" in _parts(ada.look())


@pytest.mark.parametrize(
    "cursor", ["", "seq=x", "seq=1&at=yesterday", "seq=1&at=2026-99-99T00:00:00Z", "seq=1&at=2026"]
)
def test_a_cursor_that_says_nothing_asks_for_the_whole_thread(
    cursor: str, company: Company, at: datetime, later: datetime
) -> None:
    conversation = write(company.gil, at)
    conversations.note(conversation.pk, company.grace, "I am on it.", at=later)
    browser = logged_in(company.ada)

    news = browser.get(f"/desk/conversations/{conversation.pk}/news/?{cursor}")

    assert news.headers["HX-Reswap"] == "morph:innerHTML"
    assert _shown(news) == _shown(browser.get(f"/desk/conversations/{conversation.pk}/"))


def test_what_goes_elsewhere_or_belongs_above_asks_for_the_whole_thread(company: Company, at: datetime) -> None:
    conversation = write(company.gil, at)
    moved = conversations.reply(conversation.pk, company.grace, "Another matter.", at=at + timedelta(hours=1))
    answers.deliver(moved.pk, at=at + timedelta(hours=1))
    ada = _Open(logged_in(company.ada), conversation)
    splitting.split(conversation.pk, [moved.pk], company.grace, at=at + timedelta(hours=2))
    assert ada.look().headers["HX-Reswap"]
    assert f"m{moved.pk}" not in ada.items

    conversations.note(conversation.pk, company.grace, "A clock that goes behind.", at=at + timedelta(minutes=1))
    assert ada.look().headers["HX-Reswap"]
    assert ada.items == _Open(ada.browser, conversation).items


def test_too_much_at_once_is_the_whole_thread(company: Company, at: datetime, later: datetime) -> None:
    conversation = write(company.gil, at)
    ada = _Open(logged_in(company.ada), conversation)
    for _ in range(thread.MOST_NEW + 1):
        conversations.note(conversation.pk, company.grace, "Again.", at=later)
    assert ada.look().headers["HX-Reswap"]
