"""Who may open what: nobody but agents sees the desk, everybody sees the customers' pages."""

from datetime import datetime
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Attachment, Message
from helpdesk.oncall import paging
from helpdesk.oncall.models import Urgency
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, picture, write
from tickets.desk import bulk
from tickets.models import InboundEmail
from tickets.urls import urlpatterns

POSTS = {
    "acknowledge_page",
    "answer",
    "bulk_undo",
    "checklist",
    "customer_notes",
    "delete_view",
    "draft",
    "fields",
    "followers",
    "forget_browser",
    "link",
    "mentions_seen",
    "move_view",
    "notes_on_customer",
    "preview",
    "rename_view",
    "replay_mail",
    "resolve_page",
    "retry",
    "single_keys",
    "snooze",
    "spam",
    "stand_in",
    "subscribe",
    "take",
    "take_back",
    "time_spent",
    "undo",
    "use_canned",
    "work",
}


def _address(pattern: URLPattern, pk: int = 1) -> str:
    return (
        f"/{pattern.pattern}".replace("<int:pk>", str(pk))
        .replace("<str:name>", "a.eml")
        .replace("<slug:key>", "volume")
    )


# The settings, a hundred pages, have a matrix of their own in tests/tickets/settings.
ELSEWHERE = ("desk/settings/", "desk/welcome/")
DESK = [
    pattern
    for pattern in urlpatterns
    if str(pattern.pattern).startswith("desk/") and not str(pattern.pattern).startswith(ELSEWHERE)
]


@pytest.mark.parametrize("pattern", DESK, ids=lambda pattern: str(pattern.name))
def test_a_stranger_is_sent_to_the_login_page(pattern: URLPattern, client: Client, company: Company) -> None:
    answer = client.post(_address(pattern)) if pattern.name in POSTS else client.get(_address(pattern))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/desk/login/?next=")


@pytest.mark.parametrize("pattern", DESK, ids=lambda pattern: str(pattern.name))
def test_a_stranger_gets_no_login_form_into_a_list(pattern: URLPattern, client: Client, company: Company) -> None:
    ask = client.post if pattern.name in POSTS else client.get

    assert ask(_address(pattern), headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("pattern", DESK, ids=lambda pattern: str(pattern.name))
def test_an_agent_who_left_is_a_stranger(pattern: URLPattern, company: Company) -> None:
    browser = logged_in(company.linus)
    company.linus.is_active = False
    company.linus.save()

    answer = browser.post(_address(pattern)) if pattern.name in POSTS else browser.get(_address(pattern))

    assert answer.status_code == 302


@pytest.mark.parametrize("pattern", [p for p in DESK if p.name in POSTS], ids=lambda pattern: str(pattern.name))
def test_what_changes_something_wants_post_and_a_csrf_token(pattern: URLPattern, company: Company) -> None:
    browser = logged_in(company.ada)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(company.ada)

    assert browser.get(_address(pattern)).status_code == 405
    assert strict.post(_address(pattern)).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/desk/conversations/999999/",
        "/desk/conversations/99999999999999999999999999/",
        "/desk/conversations/999999/news/",
        "/desk/conversations/999999/older/",
        "/desk/clocks/999999/",
        "/desk/messages/999999/html/",
        "/desk/messages/999999/full/",
        "/desk/attachments/999999/",
        "/desk/mail/999999/raw/",
        "/desk/mail/?state=unheard-of",
        "/desk/?view=unheard-of",
        "/desk/?view=dispatch&team=x",
        "/desk/?view=all&after=nonsense",
        "/desk/?view=all&after=2026-13-45T00:00:00+00:00~5",
        "/desk/?view=all&after=2026-01-12T08:00:00~5",
        "/desk/?after=~%C2%B2",
        "/desk/sent-mail/nothing.eml/",
        "/desk/sent-mail/..%2f..%2fsecret_key/",
        "/tickets/new/thanks/?ticket=forged",
    ],
)
def test_what_is_not_there_is_not_found(path: str, company: Company) -> None:
    answer = logged_in(company.ada).get(path)

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["messages/", "work/", "take/"])
def test_work_on_nothing_is_not_found(path: str, company: Company) -> None:
    assert (
        logged_in(company.ada).post(f"/desk/conversations/999999/{path}", {"kind": "note", "text": "x"}).status_code
        == 404
    )


def test_every_page_of_the_desk_opens_for_an_agent(company: Company, at: datetime) -> None:
    conversation = write(company.gil, at, files=(picture(),), html="<p>Hello</p>")
    message = Message.objects.get(conversation=conversation)
    answer = conversations.reply(conversation.pk, company.ada, "Hello", at=at)
    mail = InboundEmail.objects.create(
        source="smtp",
        transport_key="1",
        received_at=at,
        raw=b"From: x",
        sha256="0",
        size=7,
        state="filed",
        settled_at=at,
    )
    paging.trigger(
        "key", paging.Reason("dispatch", "Nobody has taken it", at), urgency=Urgency.HIGH, summary="Help", at=at
    )
    keys = {
        "clock": Clock.objects.filter(conversation=conversation).first().pk,  # type: ignore[union-attr]
        "message_html": message.pk,
        "message_full": message.pk,
        "forward": message.pk,
        "source": answer.pk,
        "attachment": Attachment.objects.get().pk,
        "raw_mail": mail.pk,
        "customer": company.gil.pk,
        "bulk_report": bulk.run(
            company.ada, [conversation.pk], bulk.Asked(add_tags=("x",)), client_id=uuid4(), at=at
        ).pk,
    }
    browser = logged_in(company.ada)

    for pattern in DESK:
        if pattern.name in POSTS or pattern.name == "sent_file":
            continue
        assert browser.get(_address(pattern, keys.get(str(pattern.name), conversation.pk))).status_code == 200, (
            pattern.name
        )


def test_nothing_on_a_page_is_inline(company: Company, at: datetime) -> None:
    conversation = write(company.gil, at)
    browser = logged_in(company.ada)

    for path in (
        "/",
        "/tickets/new/",
        "/desk/",
        f"/desk/conversations/{conversation.pk}/",
        "/desk/on-call/",
        "/desk/pages/",
    ):
        page = browser.get(path).content.decode()
        assert " style=" not in page and "<style" not in page and " onclick=" not in page
        assert "<script>" not in page
