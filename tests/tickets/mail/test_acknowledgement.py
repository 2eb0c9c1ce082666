"""The acknowledgement: what it promises, in whose words and time, and who never gets one."""

import ast
from datetime import UTC, datetime, timedelta
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer
from helpdesk.events.actors import Actor
from helpdesk.sla.calendars import hours_of
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.models import Calendar
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, raw_mail, settle
from tests.fixtures.smtp_sink import SmtpSink
from tickets import receivers
from tickets.mail import acknowledgement

pytestmark = pytest.mark.django_db

SATURDAY_NIGHT = datetime(2026, 1, 10, 22, 0, tzinfo=UTC)


def acknowledgements() -> list[str]:
    return list(
        Message.objects.filter(is_automatic=True, kind="outbound").order_by("pk").values_list("text", flat=True)
    )


def the_only_one() -> str:
    (text,) = acknowledgements()
    return text


class TestWhatItSays:
    def test_priority_promise_and_number_in_plain_words(self, company: Company, send_mail: Send, at: datetime) -> None:
        mail = send_mail(raw_mail(subject="The shop is slow"), at=at)
        settle(at)
        text = the_only_one()
        assert text.startswith("Hello Carol Meyer,\n\nthank you for writing to us. Your request “The shop is slow” has")
        assert f"#{mail.conversation_id}" in text
        assert "We treat it as normal: a general support request." in text
        assert "by Tuesday, 13 January 2026, 09:00 CET (within one business day)" in text
        assert "closed" not in text

    def test_the_customers_own_clock(self, company: Company, send_mail: Send, at: datetime) -> None:
        Customer.objects.filter(pk=company.carol.pk).update(timezone="America/Sao_Paulo")
        send_mail(raw_mail(), at=at)
        settle(at)
        assert "by Tuesday, 13 January 2026, 05:00 UTC-03 (" in the_only_one()

    def test_a_time_zone_that_does_not_exist_costs_nothing(
        self, company: Company, send_mail: Send, at: datetime
    ) -> None:
        Customer.objects.filter(pk=company.carol.pk).update(timezone="Mars/Olympus", name="Carol\r\nBcc: x")
        send_mail(raw_mail(subject=""), at=at)
        settle(at)
        assert "09:00 CET" in the_only_one()
        assert the_only_one().startswith("Hello Carol Bcc: x,")

    def test_in_german(self, company: Company, send_mail: Send) -> None:
        Customer.objects.filter(pk=company.carol.pk).update(language="de")
        send_mail(raw_mail(), at=SATURDAY_NIGHT)
        settle(SATURDAY_NIGHT)
        text = the_only_one()
        assert text.startswith("Hallo Carol Meyer,\n\ndanke für Ihre Nachricht.")
        assert "bis Montag, 12. Januar 2026, 20:00 CET (innerhalb eines Arbeitstages)" in text
        assert "wenn wir am Montag, 12. Januar 2026, 08:00 CET wieder da sind" in text

    def test_every_text_has_its_german_compiled(self) -> None:
        with (Path(configured.BASE_DIR) / "locale" / "de" / "LC_MESSAGES" / "django.mo").open("rb") as compiled:
            german = GNUTranslations(compiled)
        source = ast.parse(Path(acknowledgement.__file__).read_text())
        texts = [
            ast.literal_eval(call.args[0])
            for call in ast.walk(source)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext")
        ]
        assert len(texts) > 15
        assert [text for text in texts if german.ngettext(text, text, 1) == text == german.gettext(text)] == []

    @pytest.mark.parametrize(
        ("seconds", "calendar", "words"),
        [
            (1800, "12x5", "within 30 minutes, counted in our office hours"),
            (60, "24x7", "within one minute, around the clock"),
            (3600, "24x7", "within one hour, around the clock"),
            (5400, "12x5", "within 90 minutes, counted in our office hours"),
            (4 * 3600, "12x5", "within 4 hours, counted in our office hours"),
            (12 * 3600, "12x5", "within one business day"),
            (36 * 3600, "12x5", "within 3 business days"),
            (24 * 3600, "24x7", "within 24 hours, around the clock"),
        ],
    )
    def test_goals_as_in_the_price_list(self, company: Company, seconds: int, calendar: str, words: str) -> None:
        found = Calendar.objects.get(name=calendar)
        assert acknowledgement.goal(seconds, hours_of(found.pk, found.version)) == words

    def test_a_business_day_is_as_long_as_the_calendars(self) -> None:
        spans = [["09:00", "12:00"], ["13:00", "18:00"]]
        office = OpeningHours.from_week("Europe/Berlin", dict.fromkeys(("mon", "tue"), spans))
        assert acknowledgement.goal(2 * 8 * 3600, office) == "within 2 business days"
        uneven = OpeningHours.from_week("Europe/Berlin", {"mon": [["09:00", "17:00"]], "tue": [["09:00", "12:00"]]})
        assert acknowledgement.goal(8 * 3600, uneven) == "within 8 hours, counted in our office hours"


class TestOutsideOfficeHours:
    def test_enterprise_hears_that_somebody_is_being_called(self, company: Company, send_mail: Send) -> None:
        send_mail(raw_mail(sender="Gil <gil@globex.example>"), at=SATURDAY_NIGHT, mail_from="gil@globex.example")
        settle(SATURDAY_NIGHT)
        assert "The engineer on call has been told about your request and is being called right now" in the_only_one()
        assert "(within 24 hours, around the clock)" in the_only_one()

    def test_standard_hears_that_nobody_is_woken_and_what_to_do_if_it_is_worse(
        self, company: Company, send_mail: Send
    ) -> None:
        send_mail(raw_mail(), at=SATURDAY_NIGHT)
        settle(SATURDAY_NIGHT)
        assert "nobody is woken for it" in the_only_one()
        assert "when we are back on Monday, 12 January 2026, 08:00 CET" in the_only_one()
        assert f"{configured.PUBLIC_URL}/tickets/new/" in the_only_one()
        assert "called right now" not in the_only_one()

    def test_nothing_is_said_before_on_call_has_it(self, company: Company, send_mail: Send, settings: Settings) -> None:
        settings.EVENT_HANDLERS = {
            **settings.EVENT_HANDLERS,
            "conversation.opened": ["tickets.receivers.acknowledge"],
        }
        send_mail(raw_mail(), at=SATURDAY_NIGHT)
        settle(SATURDAY_NIGHT)
        assert acknowledgements() == []
        late = SATURDAY_NIGHT + receivers.PATIENCE + timedelta(seconds=5)
        settle(late)
        assert "on call" not in the_only_one()

    def test_somebody_who_took_it_meanwhile_is_not_being_called(self, company: Company, send_mail: Send) -> None:
        mail = send_mail(raw_mail(), at=SATURDAY_NIGHT)
        changes = conversations.Changes(assignee=company.linus)
        conversations.change(mail.conversation_id or 0, changes, actor=Actor.agent(company.linus), at=SATURDAY_NIGHT)
        settle(SATURDAY_NIGHT)
        assert "closed" not in the_only_one() or "looking after your request already" in the_only_one()
        assert "called right now" not in the_only_one() and "nobody is woken" not in the_only_one()


class TestWhoNeverGetsOne:
    @pytest.mark.parametrize(
        "headers",
        [
            {"auto_submitted": "auto-generated"},
            {"precedence": "bulk"},
            {"list_id": "<news.acme.example>"},
            {"x_auto_response_suppress": "All"},
            {"list_unsubscribe": "<mailto:x@y.example>"},
        ],
    )
    def test_machines(self, send_mail: Send, at: datetime, headers: dict[str, str]) -> None:
        mail = send_mail(raw_mail(**headers), at=at)
        settle(at)
        assert mail.conversation_id is not None
        assert acknowledgements() == []

    def test_a_null_return_path_and_a_no_reply_address(self, send_mail: Send, at: datetime) -> None:
        send_mail(raw_mail(), at=at, mail_from="")
        send_mail(raw_mail(sender="no-reply@acme.example"), at=at)
        settle(at)
        assert acknowledgements() == []

    def test_mail_that_is_old_already(self, send_mail: Send, at: datetime) -> None:
        send_mail(raw_mail(), at=at - timedelta(hours=25))
        settle(at)
        assert Conversation.objects.count() == 1
        assert acknowledgements() == []

    def test_a_thread_that_has_one_already(self, send_mail: Send, at: datetime) -> None:
        first = send_mail(raw_mail(message_id="<a@acme.example>"), at=at)
        settle(at)
        for hour in range(1, 4):
            again = raw_mail(text=f"still {hour}", references="<a@acme.example>")
            assert send_mail(again, at=at + timedelta(hours=hour)).conversation_id == first.conversation_id
            settle(at + timedelta(hours=hour))
        assert len(acknowledgements()) == 1

    def test_a_ticket_resolved_before(self, company: Company, send_mail: Send, at: datetime) -> None:
        mail = send_mail(raw_mail(), at=at)
        done = conversations.Changes(status="resolved")
        conversations.change(mail.conversation_id or 0, done, actor=Actor.agent(company.ada), at=at)
        settle(at)
        assert acknowledgements() == []

    def test_a_sender_who_never_stops(self, send_mail: Send, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(receivers, "PER_SENDER", 3)
        for number in range(5):
            send_mail(raw_mail(subject=f"Ticket {number} received", text=f"n{number}"), at=at)
        settle(at)
        assert Conversation.objects.count() == 5
        assert len(acknowledgements()) == 3


def test_it_goes_to_the_requester_as_an_automatic_mail(send_mail: Send, at: datetime, smtp_sink: SmtpSink) -> None:
    send_mail(raw_mail(cc="bob@acme.example", message_id="<a@acme.example>"), at=at)
    settle(at)
    (taken,) = smtp_sink.taken
    assert taken.rcpt_to == ("carol@acme.example",)
    mail = taken.mail
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert (mail["Precedence"], mail["In-Reply-To"]) == ("bulk", "<a@acme.example>")
    assert str(mail["From"]) == "Demo Hosting Support <support@demo.example>"


def test_acknowledging_asks_the_database_little(send_mail: Send, at: datetime) -> None:
    """The bound is a floor under speed: a flood of requests is a flood of acknowledgements.

    Twelve are the acknowledgement's and its delivery's; the others ask whether rules, webhooks, people or incidents
    are concerned.
    """
    send_mail(raw_mail(text="warm up"), at=at)
    settle(at)
    send_mail(raw_mail(text="measured"), at=at)
    with CaptureQueriesContext(connection) as asked:
        settle(at)
    of_outbox = ("outboxentry", "finish_entry", "SAVEPOINT")
    work = [q["sql"] for q in asked.captured_queries if not any(one in q["sql"] for one in of_outbox)]
    assert len(work) <= 24, "\n".join(work)
