"""The conversation page: what it shows, what agents do there, and that nothing in it can do anything by itself."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Service, Team
from helpdesk.events.actors import Actor
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, picture, write
from tickets.desk import thread
from tickets.models import InboundEmail

BEFORE = 2
CONVERSATION = 4


@pytest.fixture
def later(at: datetime) -> datetime:
    return at + timedelta(minutes=10)


def _page(company: Company, conversation: Conversation) -> str:
    return logged_in(company.ada).get(f"/desk/conversations/{conversation.pk}/").content.decode()


@pytest.mark.parametrize("messages", [1, 60])
def test_a_conversation_costs_the_same_statements_however_long(
    messages: int, company: Company, at: datetime, later: datetime, django_assert_max_num_queries: Any
) -> None:
    conversation = write(company.gil, at, files=(picture(),))
    for number in range(messages - 1):
        conversations.note(conversation.pk, company.grace, f"Note {number}", at=later)
    browser = logged_in(company.ada)
    browser.get(f"/desk/conversations/{conversation.pk}/")

    with django_assert_max_num_queries(BEFORE + CONVERSATION):
        browser.get(f"/desk/conversations/{conversation.pk}/")


def test_asking_for_news_where_there_is_none_costs_one_statement(
    company: Company, at: datetime, django_assert_max_num_queries: Any
) -> None:
    conversation = write(company.gil, at)
    conversation.refresh_from_db()
    browser = logged_in(company.ada)
    path = f"/desk/conversations/{conversation.pk}/news/?seq="

    with django_assert_max_num_queries(BEFORE + 1):
        assert browser.get(f"{path}{conversation.last_seq}").status_code == 204
    assert "It is broken." in browser.get(f"{path}0").content.decode()


def test_the_thread_tells_the_story_in_order(company: Company, at: datetime, later: datetime) -> None:
    conversation = write(company.gil, at, text="Help, see https://globex.example/a?b=1&c=2.")
    conversations.reply(conversation.pk, company.grace, "I look into it.", at=later)
    conversations.note(conversation.pk, company.ada, "Only for us.", at=later + timedelta(minutes=1))

    page = _page(company, conversation)

    story = ["Opened: E-mail", "Help, see", "I look into it.", "Grace Hopper took it", "Only for us."]
    assert [page.index(part) for part in story] == sorted(page.index(part) for part in story)
    assert 'href="https://globex.example/a?b=1&amp;c=2"' in page
    assert "Note, only the team sees this" in page


def test_what_strangers_sent_cannot_become_markup(company: Company, at: datetime) -> None:
    company.gil.name = "</title><script>alert(1)</script>"
    company.gil.save()
    evil = "<script>alert(2)</script>"
    file = File(f'{evil}".png', "image/png", b"\x89PNG\r\n\x1a\n0000")
    conversation = write(
        company.gil,
        at,
        subject=evil,
        text=f'{evil} https://x.example/"onmouseover=alert(4)',
        remark=evil,
        files=(file,),
    )

    page = _page(company, conversation)

    assert "<script>alert" not in page
    assert '"onmouseover' not in page


def test_the_panel_tells_the_plan_and_its_promises(company: Company, at: datetime) -> None:
    page = _page(company, write(company.gil, at, text="c02-web1 is slow"))

    for words in ("Globex", "Enterprise", "24x7", "Included", "Dispatch", "First response", "c02-web1.demo.example"):
        assert words in page


def test_a_clock_explains_itself(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    clock = Clock.objects.get(conversation=conversation, target="first_response")
    browser = logged_in(company.ada)

    part = browser.get(f"/desk/clocks/{clock.pk}/", headers={"HX-Request": "true"}).content.decode()

    assert "Goal: 12 h of opening hours." in part and "<html" not in part
    assert "<html" in browser.get(f"/desk/clocks/{clock.pk}/").content.decode()


def test_a_reply_is_sent_and_takes_the_ticket(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    upload = SimpleUploadedFile("../../evil<>.html", b"<script>", content_type="image/png")

    answer = logged_in(company.ada).post(
        f"/desk/conversations/{conversation.pk}/messages/",
        {"kind": "reply", "text": "Fixed.", "then": "resolved", "client_id": uuid4(), "uploads": [upload]},
    )

    conversation.refresh_from_db()
    message = Message.objects.get(conversation=conversation, kind="outbound")
    assert answer["Location"].endswith(f"#m{message.pk}")
    assert (conversation.assignee, conversation.status) == (company.ada, "resolved")
    attachment = Attachment.objects.get(message=message)
    assert (
        "/" not in attachment.name and "<" not in attachment.name and not attachment.content_type.startswith("image/")
    )


@pytest.mark.parametrize("kind", ["reply", "note"])
def test_sent_twice_it_is_said_once(kind: str, company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    browser = logged_in(company.ada)
    said = {"kind": kind, "text": "Once.", "client_id": str(uuid4())}

    first, second = (browser.post(f"/desk/conversations/{conversation.pk}/messages/", said) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Message.objects.filter(conversation=conversation, text="Once.").count() == 1


def test_what_cannot_be_sent_comes_back_with_what_was_typed(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    browser = logged_in(company.ada)

    empty = browser.post(f"/desk/conversations/{conversation.pk}/messages/", {"kind": "reply", "text": "  "})
    odd = browser.post(
        f"/desk/conversations/{conversation.pk}/messages/", {"kind": "reply", "text": "Kept", "then": "x"}
    )

    assert empty.status_code == odd.status_code == 422
    assert "Write something or add a file." in empty.content.decode()
    assert ">Kept</textarea>" in odd.content.decode()
    assert not Message.objects.filter(conversation=conversation, kind="outbound").exists()


def test_saving_changes_only_what_the_agent_changed(company: Company, at: datetime, later: datetime) -> None:
    conversation = write(company.carol, at)
    hosting = Team.objects.get(name="Hosting")
    # While this page was open, somebody else made it urgent.
    conversations.change(
        conversation.pk, conversations.Changes(priority="urgent"), actor=Actor.agent(company.grace), at=later
    )

    logged_in(company.ada).post(
        f"/desk/conversations/{conversation.pk}/work/",
        {
            "priority": "normal",
            "was_priority": "normal",
            "team": hosting.pk,
            "was_team": "",
            "tags": "billing, C01",
            "was_tags": "",
            "services": [Service.objects.get(name="c01").pk],
        },
    )

    conversation.refresh_from_db()
    assert (conversation.priority, conversation.team, conversation.assignee) == ("urgent", hosting, None)
    assert set(conversation.tags.values_list("name", flat=True)) == {"billing", "c01"}
    assert [service.name for service in conversation.services.all()] == ["c01"]


def test_nonsense_changes_nothing_and_says_so(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    company.linus.is_active = False
    company.linus.save()

    answer = logged_in(company.ada).post(
        f"/desk/conversations/{conversation.pk}/work/",
        {"status": "melted", "was_status": "new", "assignee": company.linus.pk, "was_assignee": ""},
        follow=True,
    )

    conversation.refresh_from_db()
    assert (conversation.status, conversation.assignee) == ("new", None)
    assert "no longer works here" in answer.content.decode()


def test_take_it(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)

    logged_in(company.grace).post(f"/desk/conversations/{conversation.pk}/take/")

    conversation.refresh_from_db()
    assert (conversation.assignee, conversation.status) == (company.grace, "open")


def test_a_failed_message_shows_why_and_can_be_sent_again(company: Company, at: datetime, later: datetime) -> None:
    conversation = write(company.carol, at)
    message = conversations.reply(conversation.pk, company.ada, "Hello", at=later)
    Message.objects.filter(pk=message.pk).update(delivery="failed", error="550 no such <user>")
    browser = logged_in(company.ada)

    assert "Not delivered: 550 no such &lt;user&gt;" in _page(company, conversation)
    browser.post(f"/desk/messages/{message.pk}/retry/")
    again = browser.post(f"/desk/messages/{message.pk}/retry/", follow=True)

    message.refresh_from_db()
    assert message.delivery == "pending"
    assert "has not failed" in again.content.decode()


def test_older_messages_come_part_by_part(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    for number in range(120):
        conversations.note(conversation.pk, company.ada, f"Note {number}.", at=at + timedelta(minutes=number + 1))
    notes = list(Message.objects.filter(conversation=conversation).order_by("id"))
    browser = logged_in(company.ada)
    path = f"/desk/conversations/{conversation.pk}"

    newest = browser.get(f"{path}/").content.decode()
    before = notes[-50].pk
    older = browser.get(f"{path}/older/?before={before}").content.decode()
    plain = browser.get(f"{path}/?before={before}").content.decode()

    assert "Note 119." in newest and "Note 69." not in newest and f"before={before}" in newest
    for part in (older, plain):
        assert "Note 69." in part and "Note 119." not in part and "Note 19." not in part


def test_a_huge_text_is_cut_on_the_page_and_whole_on_its_own(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at, text="word " * 200_000)
    message = Message.objects.get(conversation=conversation)
    browser = logged_in(company.ada)

    assert len(_page(company, conversation)) < 60_000
    whole = browser.get(f"/desk/messages/{message.pk}/full/")
    assert len(whole.content) == 1_000_000
    assert whole["Content-Type"].startswith("text/plain")


def test_html_mail_is_shown_in_a_sandbox_without_loading_anything(company: Company, at: datetime) -> None:
    html = '<p>Hi</p><img src="cid:one"><img data-src="https://tracker.example/x.png">'
    conversation = write(company.carol, at, html=html, files=(picture(),))
    message = Message.objects.get(conversation=conversation)
    browser = logged_in(company.ada)

    closed = browser.get(f"/desk/messages/{message.pk}/html/")
    opened = browser.get(f"/desk/messages/{message.pk}/html/?images=1")

    for answer in (closed, opened):
        policy = answer["Content-Security-Policy"]
        assert "sandbox" in policy and "default-src 'none'" in policy
        assert "allow-scripts" not in policy and "allow-same-origin" not in policy
        assert answer["X-Frame-Options"] == "SAMEORIGIN" and answer["Referrer-Policy"] == "no-referrer"
        assert 'src="data:image/png;base64,' in answer.content.decode()
    assert "https:" not in closed["Content-Security-Policy"] and ' src="https://' not in closed.content.decode()
    assert ' src="https://tracker.example/x.png"' in opened.content.decode()


@pytest.mark.parametrize(
    ("content_type", "inline"),
    [
        ("image/png", True),
        ("image/webp", True),
        ("image/svg+xml", False),
        ("text/html", False),
        ("application/pdf", False),
    ],
)
def test_only_harmless_pictures_are_shown_in_the_page(
    content_type: str, inline: bool, company: Company, at: datetime
) -> None:
    write(company.carol, at, files=(File('a"\r\nb.html', content_type, b"<script>alert(1)</script>"),))
    attachment = Attachment.objects.get()
    browser = logged_in(company.ada)

    download, shown = (browser.get(f"/desk/attachments/{attachment.pk}/{query}") for query in ("", "?show=1"))

    assert download["Content-Disposition"].startswith("attachment")
    assert shown["Content-Disposition"].startswith("inline") is inline
    assert shown["Content-Type"] == (content_type if inline else "application/octet-stream")
    for answer in (download, shown):
        assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
        assert "\n" not in answer["Content-Disposition"]


def test_recordings_are_played_in_parts(company: Company, at: datetime) -> None:
    """A player asks for parts (RFC 9110 §14); what makes no sense gets all of it."""
    write(company.carol, at, files=(File("voicemail.mp3", "audio/mpeg", b"ID3" + bytes(range(97))),))
    attachment = Attachment.objects.select_related("message").get()
    browser, address = logged_in(company.ada), f"/desk/attachments/{attachment.pk}/?show=1"
    page = browser.get(f"/desk/conversations/{attachment.message.conversation_id}/").content.decode()
    assert f'<audio controls preload="none" src="{address}" aria-label="voicemail.mp3">' in page
    whole = browser.get(address)
    assert (whole.status_code, whole["Content-Type"], whole["Accept-Ranges"]) == (200, "audio/mpeg", "bytes")
    for asked, status, told, length in (
        ("bytes=0-9", 206, "bytes 0-9/100", 10),
        ("bytes=90-", 206, "bytes 90-99/100", 10),
        ("bytes=-4", 206, "bytes 96-99/100", 4),
        ("bytes=-900", 206, "bytes 0-99/100", 100),
        ("bytes=50-9999", 206, "bytes 50-99/100", 50),
        ("bytes=100-", 416, "bytes */100", 0),
        ("bytes=-0", 416, "bytes */100", 0),
        *(
            (senseless, 200, None, 100)
            for senseless in ("bytes=9-1", "bytes=-", "bytes=0-1,4-5", "lines=1-2", "x" * 5000)
        ),
    ):
        answer = browser.get(address, headers={"Range": asked})
        found = (answer.status_code, answer.get("Content-Range"), len(answer.content))
        assert found == (status, told, length), asked[:20]
        assert "sandbox" in answer["Content-Security-Policy"]


def test_the_raw_mail_is_text_and_nothing_else(company: Company, at: datetime) -> None:
    raw = b"Content-Type: text/html\r\n\r\n<script>alert(1)</script>\xff"
    mail = InboundEmail.objects.create(
        source="smtp",
        transport_key="1",
        received_at=at,
        raw=raw,
        sha256="0",
        size=len(raw),
        state="filed",
        settled_at=at,
    )

    answer = logged_in(company.ada).get(f"/desk/mail/{mail.pk}/raw/")

    assert answer.content == raw
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]


def _lines(client: Client, conversation: Conversation) -> tuple[list[str], list[tuple[str, str]]]:
    """What stands in the thread in the order of the page: `fold`, `line` or `msg`; and the words of folded parts."""
    page = client.get(f"/desk/conversations/{conversation.pk}/").content.decode()
    shown = page[page.index('id="thread"') :]
    outside = re.sub(r"<ol>.*?</ol></details>", "", shown, flags=re.DOTALL)
    kinds = {"sys fold": "fold", "sys ": "line", "msg inbound": "msg", "msg out": "msg", "msg note": "msg"}
    found = [kinds[name] for name in re.findall(r'<li class="(sys fold|sys |msg inbound|msg out|msg note)"', outside)]
    return found, re.findall(r"<summary><b>(.*?)</b> <span>(.*?)</span>", shown)


def test_lines_that_follow_each_other_are_folded(company: Company, at: datetime) -> None:
    conversation, client = write(company.carol, at), logged_in(company.ada)
    before = len([kind for kind in _lines(client, conversation)[0] if kind == "line"])
    conversations.note(conversation.pk, company.ada, "Between.", at=at + timedelta(minutes=1))
    priorities = ("high", "low", "urgent", "normal", "high")
    for number, priority in enumerate(priorities[:3]):
        changes, when = conversations.Changes(priority=priority), at + timedelta(minutes=2 + number)
        conversations.change(conversation.pk, changes, actor=Actor.agent(company.grace), at=when)
    kinds, folded = _lines(client, conversation)
    assert kinds[-4:] == ["msg", "line", "line", "line"] and kinds.count("line") == before + 3 and not folded

    for number, priority in enumerate(priorities[3:]):
        changes, when = conversations.Changes(priority=priority), at + timedelta(minutes=6 + number)
        conversations.change(conversation.pk, changes, actor=Actor.agent(company.grace), at=when)
    kinds, folded = _lines(client, conversation)
    assert kinds[-2:] == ["msg", "fold"] and len(folded) == 1
    assert folded[0][0] == "5 changes" and "Grace Hopper" in folded[0][1]
    page = client.get(f"/desk/conversations/{conversation.pk}/").content.decode()
    assert page.count('<li class="sys ">') == before + 5


def test_what_warns_and_another_day_are_not_folded_away(at: datetime) -> None:
    def line(minutes: int, tone: str = "") -> thread.Item:
        return thread.Item(at + timedelta(minutes=minutes), line="x", tone=tone)

    items = (
        [line(n) for n in range(4)]
        + [line(5, "bad")]
        + [line(n) for n in range(6, 9)]
        + [line(1440 + n) for n in range(4)]
    )
    assert [len(part) for part in thread.Thread(items, 0, 0).folded()] == [4, 1, 1, 1, 1, 4]
    # What is put below a thread comes line by line: the page folds it with what stands above.
    assert {len(part) for part in thread.Thread(items, 0, 0, at).folded()} == {1}
