"""Conversations nobody should have: ten thousand messages, or five megabytes in one. Sizes and counts stay bounded."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.fixtures.excess import write_excess

MESSAGES = 10_000
SESSION_AND_AGENT = 2
# A page of fifty messages of a word each; the page of one message is half of it.
LARGEST_PAGE = 120_000


@pytest.fixture
def endless(company: Company, at: datetime) -> Conversation:
    return write_excess(company.carol, at, MESSAGES)


def test_ten_thousand_messages_open_at_their_end(
    endless: Conversation, company: Company, django_assert_max_num_queries: Any
) -> None:
    browser, path = logged_in(company.ada), f"/desk/conversations/{endless.pk}/"
    browser.get(path)

    with django_assert_max_num_queries(SESSION_AND_AGENT + 4):
        shown = browser.get(path).content.decode()
    assert re.findall(r"Word (\d+)", shown)[-1] == str(MESSAGES) and "It is broken." not in shown
    assert shown.count('class="msg') == 50 and len(shown) < LARGEST_PAGE
    before = re.search(r"older/\?before=(\d+)", shown)
    assert before is not None
    with django_assert_max_num_queries(SESSION_AND_AGENT + 4):
        older = browser.get(f"{path}older/?before={before[1]}").content.decode()
    assert older.count('class="msg') == 50 and f"Word {MESSAGES - 50}<" in older and len(older) < LARGEST_PAGE
    first = Message.objects.filter(conversation=endless).earliest("pk")
    end = browser.get(f"{path}older/?before={first.pk + 10}").content.decode()
    assert "It is broken." in end and "before=" not in end


def test_its_news_are_small_and_cost_the_same(
    endless: Conversation, company: Company, at: datetime, django_assert_max_num_queries: Any
) -> None:
    browser, path = logged_in(company.ada), f"/desk/conversations/{endless.pk}/"
    cursor = re.search(r'data-query="([^"]+)"', browser.get(path).content.decode())
    assert cursor is not None
    conversations.note(endless.pk, company.grace, "Still there?", at=at + timedelta(days=30))

    with django_assert_max_num_queries(SESSION_AND_AGENT + 5):
        news = browser.get(f"{path}news/?{cursor[1].replace('&amp;', '&')}").content.decode()
    assert "Still there?" in news and "Word" not in news and len(news) < LARGEST_PAGE / 2


def test_what_is_found_in_it_is_opened_where_it_stands(endless: Conversation, company: Company) -> None:
    browser = logged_in(company.ada)
    found = browser.get("/desk/search/?q=%22word+4321%22").content.decode()

    link = re.search(r'href="(/desk/conversations/[^"]+)#m(\d+)"', found)
    assert link is not None
    shown = browser.get(link[1]).content.decode()
    assert f'id="m{link[2]}"' in shown and "Word 4321<" in shown and shown.count('class="msg') == 50
    assert "Back to the newest messages" in shown
    last = Message.objects.latest("pk")
    assert "Back to the newest" not in browser.get(f"{link[1].split('?')[0]}?message={last.pk}").content.decode()


def test_it_is_printed_part_by_part(endless: Conversation, company: Company) -> None:
    browser, path = logged_in(company.ada), f"/desk/conversations/{endless.pk}/print/"

    part = browser.get(path).content.decode()
    assert part.count("<article") == 500 and f"Word {MESSAGES}<" in part
    older = re.search(r"\?before=\d+", part)
    assert older is not None
    assert f"Word {MESSAGES - 500}<" in browser.get(f"{path}{older[0]}").content.decode()
    assert "?before=" not in browser.get(f"{path}?before=1").content.decode()


@pytest.fixture
def huge(company: Company, at: datetime) -> Conversation:
    """Five megabytes of text, in letters of two bytes, and of HTML."""
    text = "Größe über alles " * 270_000
    return write(company.carol, at, text=text, full_text=text, html=f"<p>{text}</p>")


def test_five_megabytes_are_cut_wherever_they_are_shown(huge: Conversation, company: Company) -> None:
    message = Message.objects.get(conversation=huge)
    browser, path = logged_in(company.ada), f"/desk/conversations/{huge.pk}/"

    shown = browser.get(path).content.decode()
    assert len(shown) < LARGEST_PAGE and "Show all (5.1 MB)" in shown
    parts = {
        "/desk/": 60_000,
        "/desk/search/?q=alles": 60_000,
        f"{path}print/": 30_000,
        f"{path}news/?seq=1": LARGEST_PAGE,
        f"/desk/messages/{message.pk}/forward/": 80_000,
        f"{path}split/": 60_000,
        f"{path}merge/": 60_000,
        f"/desk/customers/{company.carol.pk}/": 60_000,
    }
    sizes = {part: len(browser.get(part).content) for part in parts}
    assert {part: size for part, size in sizes.items() if size > parts[part]} == {}

    in_place = browser.get(f"/desk/messages/{message.pk}/full/", headers={"HX-Request": "true"})
    assert 1_000_000 <= len(in_place.content.decode()) < 1_000_100
    assert browser.get(f"/desk/messages/{message.pk}/full/").content.decode() == message.text
    assert len(browser.get(f"/desk/messages/{message.pk}/html/").content.decode()) > len(message.text)


def test_the_database_reads_no_more_of_them_than_is_shown(huge: Conversation, company: Company) -> None:
    """What is stored outside of the row costs a read for each piece of two kilobytes: 5 MB are thousands."""
    browser, path = logged_in(company.ada), f"/desk/conversations/{huge.pk}/"
    browser.get(path)

    def pieces_read() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                """SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_all_tables WHERE relid =
                (SELECT reltoastrelid FROM pg_class WHERE oid = %s::regclass)""",
                [Message._meta.db_table],
            )
            return int(cursor.fetchone()[0])

    before = pieces_read()
    browser.get(path)
    browser.get("/desk/")
    assert pieces_read() - before < 100


def test_a_reply_to_them_is_small(huge: Conversation, company: Company, at: datetime) -> None:
    reply = conversations.reply(huge.pk, company.ada, "Too much.", at=at + timedelta(minutes=1))

    source = logged_in(company.ada).get(f"/desk/messages/{reply.pk}/source/").content
    assert b"Too much." in source and len(source) < 20_000


@pytest.mark.parametrize(("text", "is_large"), [("🎉", True), ("👍🏽 ❤️", True), ("🇩🇪", True), ("🎉 done", False)])
def test_emoji_alone_are_large(text: str, is_large: bool, company: Company, at: datetime) -> None:
    conversation = write(company.carol, at, text=text)

    shown = logged_in(company.ada).get(f"/desk/conversations/{conversation.pk}/").content.decode()
    assert ('class="msg inbound big"' in shown) is is_large
