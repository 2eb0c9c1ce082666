"""Suggestions while a customer writes: nothing that they may not read, and what came of them, from form and widget."""

import re
from datetime import datetime, timedelta
from secrets import token_hex

import pytest
import time_machine
from django.test import Client
from django.utils.timezone import now

from chat import limits as chat_limits
from helpdesk.conversations.models import Conversation
from knowledge import suggesting
from knowledge.models import Suggested
from knowledge.telling import MOST, telling
from social.models import Account
from tests.chat.visiting import begin, stranger
from tests.fixtures.company import Company
from tests.fixtures.customers import session_of
from tests.knowledge.conftest import Library
from tests.social.talk import account_on

pytestmark = pytest.mark.django_db


def _titles(client: Client, query: str = "zebra") -> set[str]:
    return {one["title"] for one in client.post("/kb/suggest", {"q": query, "says": "1"}).json()["results"]}


def test_nobody_is_suggested_what_they_may_not_read(library: Library, company: Company) -> None:
    client = Client()
    assert _titles(client) == {"Zebra publicword"}
    for word in ("internalword", "draftword", "acmeword", "planword"):
        assert not {title for title in _titles(client, word) if word in title}
    client.cookies["customer"] = session_of(company.carol)
    assert (
        {"Zebra publicword", "Zebra acmeword"}
        <= _titles(client)
        <= {f"Zebra {w}word" for w in ("public", "acme", "plan")}
    )
    says = client.post("/kb/suggest", {"q": "zebra", "says": "1", "language": "en"}).json()["says"]
    assert says["answered"] == "This answered my question"
    assert "says" not in client.post("/kb/suggest", {"q": "zebra"}).json()


def test_of_a_letter_the_telling_words_are_searched() -> None:
    letter = "Hello, this morning the certificate of our shop seems to have expired, can you look? Kind regards"
    assert telling(letter, "Website down").split()[:2] == ["website", "down"]
    assert len(telling(letter, "Website down").split()) == MOST and "certificate" in telling(letter)
    assert telling("ssh por") == "ssh por" and telling(letter + " certi").endswith(" certi")
    assert telling("", "") == telling("!? \x00") == "" and len(telling("x " * 9, "a b c d e f g h i").split()) == MOST


def test_where_the_answer_was_found_is_a_friendly_page(library: Library) -> None:
    client = Client()
    page = client.get("/kb/answered/", {"article": library.public.pk}).content.decode()
    assert "Glad that helped" in page and "/kb/en/zebra-publicword/" in page
    for number in (str(library.internal.pk), "", "x", "9" * 30):
        page = client.get("/kb/answered/", {"article": number}).content.decode()
        assert "Glad that helped" in page and "zebra" not in page


def test_a_ticket_written_all_the_same_counts_against_the_article(library: Library, company: Company) -> None:
    client, at, asking = Client(), now(), token_hex(16)
    with time_machine.travel(at, tick=False) as clock:
        page = client.get("/tickets/new/?topic=").content.decode()
        assert 'data-then="/kb/answered/"' in page
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token
        for what in ("shown", "opened", "answered"):
            said = {"asking": asking, "article": library.public.pk, "where": "form", "what": what}
            assert client.post("/kb/suggested", said).status_code == 204
        (told,) = suggesting.deflected(at - timedelta(days=1))
        assert (told.suggested, told.opened, told.answered, told.written) == (1, 1, 1, 0)
        clock.shift(timedelta(seconds=20))
        form = {"token": token[1], "asking": asking, "email": "nora@new.example", "subject": "", "message": "Zebra?"}
        wrong = client.post("/tickets/new/", form)
        assert wrong.status_code == 422 and f'value="{asking}"' in wrong.content.decode()
        form |= {"subject": "My zebra", "priority": "normal", "website": "", "service": "", "name": ""}
        assert client.post("/tickets/new/", form).status_code == 302
    assert Suggested.objects.get().conversation == Conversation.objects.latest("pk")
    (told,) = suggesting.deflected(at - timedelta(days=1))
    assert (told.answered, told.written) == (0, 1)


def test_a_chat_begun_all_the_same_counts_too(library: Library, company: Company, at: datetime) -> None:
    chat_limits.forget()
    asking = token_hex(16)
    with time_machine.travel(at, tick=False):
        suggesting.note_suggested(asking, [library.public.pk], "widget", at=at)
        answer = begin(stranger(), form={"email": "nora@new.example", "asking": asking})
        assert answer.status_code == 201
        assert begin(stranger(), form={"asking": "x" * 33}).status_code == 422
        assert begin(stranger(), form={"asking": "'; no name of ours"}).status_code == 201
    assert Suggested.objects.get().conversation is not None


def test_what_is_typed_stands_in_no_address(library: Library) -> None:
    assert Client().get("/kb/suggest", {"q": "zebra"}).status_code == 405
    answer = Client().post("/kb/suggest", {"q": "zebra"})
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"


def test_the_front_page_says_where_else_we_are(library: Library, at: datetime) -> None:
    account = account_on("telegram", at, handle="demo_bot")
    account_on("mastodon", at, handle="gone@fosstodon.org", state=Account.State.NOT_CONNECTED)
    page = Client().get("/en/").content.decode()
    assert 'href="https://t.me/demo_bot"' in page and "@demo_bot" in page and "We look in when we can." in page
    assert "fosstodon" not in page
    Account.objects.filter(pk=account.pk).update(state=Account.State.REAUTH_REQUIRED)
    assert "demo_bot" not in Client().get("/en/").content.decode()
