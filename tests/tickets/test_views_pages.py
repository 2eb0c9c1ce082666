"""Pages, on-call, the ledger and sent mail, as agents see them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.answers import NothingToSay
from helpdesk.conversations.models import Message
from helpdesk.oncall import paging
from helpdesk.oncall.models import Override, Page, Schedule, Urgency
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.models import InboundEmail


def _page(at: datetime, conversation_id: int | None = None, key: str = "key") -> Page:
    reason = paging.Reason("dispatch", "Nobody has taken it <in time>", at)
    return paging.trigger(
        key, reason, urgency=Urgency.HIGH, summary=f"Help {key}", at=at, conversation_id=conversation_id
    )


def test_one_step_acknowledges_and_tells_the_customer(company: Company, at: datetime) -> None:
    conversation = write(company.gil, at)
    page = _page(at, conversation.pk)

    logged_in(company.grace).post(
        f"/desk/pages/{page.pk}/acknowledgement/", {"handling": "I restart the cluster now and write again by ten."}
    )

    page.refresh_from_db()
    conversation.refresh_from_db()
    told = Message.objects.get(conversation=conversation, kind="outbound")
    assert (page.state, page.acknowledged_by) == ("acknowledged", company.grace)
    assert (told.text, told.agent, told.delivery) == (
        "I restart the cluster now and write again by ten.",
        company.grace,
        "pending",
    )
    assert (conversation.assignee, conversation.status) == (company.grace, "open")


def test_acknowledging_without_words_writes_to_nobody(company: Company, at: datetime) -> None:
    conversation = write(company.gil, at)
    page = _page(at, conversation.pk)

    conversations.acknowledge_page(page.pk, company.grace, "  ", at=at)

    page.refresh_from_db()
    assert page.state == "acknowledged"
    assert not Message.objects.filter(conversation=conversation, kind="outbound").exists()


def test_words_without_a_customer_are_refused_and_nothing_happens(company: Company, at: datetime) -> None:
    page = _page(at)

    with pytest.raises(NothingToSay):
        conversations.acknowledge_page(page.pk, company.grace, "Hello?", at=at)
    answer = logged_in(company.grace).post(
        f"/desk/pages/{page.pk}/acknowledgement/", {"handling": "Hello?"}, follow=True
    )

    page.refresh_from_db()
    assert page.state == "triggered"
    assert "no customer to write to" in answer.content.decode()


def test_the_list_shows_open_pages_first_and_the_resolved_part_by_part(company: Company, at: datetime) -> None:
    for number in range(55):
        paging.resolve(_page(at + timedelta(minutes=number), key=f"old-{number:02}").pk, at=at + timedelta(hours=1))
    _page(at, key="ringing")
    browser = logged_in(company.ada)

    first = browser.get("/desk/pages/").content.decode()
    oldest_shown = Page.objects.get(dedup_key="old-05")
    second = browser.get(f"/desk/pages/?before={oldest_shown.pk}").content.decode()

    assert first.index("Help ringing") < first.index("Help old-54")
    assert "&lt;in time&gt;" in first and "Help old-04" not in first and f"before={oldest_shown.pk}" in first
    assert "Help old-04" in second and "Help old-05" not in second and "Help ringing" not in second


def test_a_page_is_resolved_from_the_list(company: Company, at: datetime) -> None:
    page = _page(at)

    logged_in(company.ada).post(f"/desk/pages/{page.pk}/resolution/")

    page.refresh_from_db()
    assert page.state == "resolved"


def test_who_is_on_call_and_who_stands_in(company: Company) -> None:
    schedule = Schedule.objects.get()
    start = (now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    end = (now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    browser = logged_in(company.ada)
    wish = {"schedule": schedule.pk, "user": company.linus.pk, "start": start, "end": end}

    browser.post("/desk/on-call/stand-ins/", wish)
    again = browser.post("/desk/on-call/stand-ins/", wish)
    backwards = browser.post("/desk/on-call/stand-ins/", wish | {"start": end, "end": start})

    page = browser.get("/desk/on-call/").content.decode()
    assert Override.objects.get().user == company.linus
    assert f"/desk/on-call/{schedule.pk}.ics?token=" in page
    assert "Linus Torvalds (stands in)" in page and "Grace Hopper → Linus Torvalds" in page
    assert again.status_code == backwards.status_code == 422
    assert "Somebody stands in already" in again.content.decode()
    assert "not after the beginning" in backwards.content.decode()


def _mail(number: int, at: datetime, **fields: object) -> InboundEmail:
    given = {"source": "smtp", "state": "filed", "settled_at": at, "raw": b"From: a@b.example\r\n\r\nHi"} | fields
    return InboundEmail.objects.create(
        transport_key=str(number), received_at=at, sha256="0", size=24, mail_from=f"from-{number}@x.example", **given
    )


def test_the_ledger_lists_every_mail_and_by_outcome(company: Company, at: datetime) -> None:
    mails = [_mail(number, at) for number in range(55)]
    _mail(99, at, state="quarantined", error="Cannot <read> it")
    browser = logged_in(company.ada)

    first = browser.get("/desk/mail/").content.decode()
    second = browser.get(f"/desk/mail/?before={mails[6].pk}").content.decode()
    odd = browser.get("/desk/mail/?state=quarantined").content.decode()

    assert "from-99@" in first and "from-6@" in first and "from-5@" not in first and "Cannot &lt;read&gt; it" in first
    assert "from-5@" in second and "from-6@" not in second
    assert "from-99@" in odd and "from-54@" not in odd and "File again" in odd


def test_only_what_is_quarantined_is_filed_again(company: Company, at: datetime) -> None:
    raw = b"From: carol@acme.example\r\nTo: support@demo.example\r\nSubject: Hello\r\nMessage-ID: <1@acme>\r\n\r\nHi"
    mail = _mail(1, at, state="quarantined", raw=raw, rcpt_to=["support@demo.example"], error="was odd")
    browser = logged_in(company.ada)

    browser.post(f"/desk/mail/{mail.pk}/replay/")
    again = browser.post(f"/desk/mail/{mail.pk}/replay/", follow=True)

    mail.refresh_from_db()
    assert mail.state == "filed"
    assert "Only quarantined or blocked mail" in again.content.decode()


def test_sent_mail_is_shown_in_the_demo_only(company: Company, settings: Settings) -> None:
    folder = Path(settings.SENT_MAIL_DIR)
    folder.mkdir(parents=True)
    (folder / "abc.eml").write_bytes(
        b"To: carol@acme.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe_=3Cb=3E?=\r\n\r\nHello <i>Carol</i>"
    )
    (folder / "secret.txt").write_text("no")
    browser = logged_in(company.ada)
    settings.HELPDESK_DEMO = True

    shown = browser.get("/desk/sent-mail/").content.decode()
    mail = browser.get("/desk/sent-mail/abc.eml/").content.decode()

    assert "Grüße &lt;b&gt;" in shown and "carol@acme.example" in shown and "secret" not in shown
    assert "Hello &lt;i&gt;Carol&lt;/i&gt;" in mail
    assert browser.get("/desk/sent-mail/secret.txt/").status_code == 404
    settings.HELPDESK_DEMO = False
    assert browser.get("/desk/sent-mail/").status_code == browser.get("/desk/sent-mail/abc.eml/").status_code == 404
