"""The chat room's pages in the desk's settings: widgets with their secrets, and when chats can be booked."""

from datetime import datetime

import jwt
import pytest
from django.test import Client

from chat import identity
from chat.models import Booking, BookingHours, Chat, SlackThread, Widget
from helpdesk.customers.models import AuditEntry
from helpdesk.sla.models import Calendar
from tests.chat.booking import book
from tests.chat.continuing import begin, visitor
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in

WIDGETS, HOURS = "/desk/settings/widgets/", "/desk/settings/hours/"


@pytest.fixture
def ada(company: Company) -> Client:
    return logged_in(company.ada)


@pytest.fixture
def widget(company: Company) -> Widget:
    return Widget.objects.get(key="pk_demo")


def _secret(page_text: str) -> str:
    return page_text.partition('id="secret" readonly value="')[2].partition('"')[0]


def _add(ada: Client, widget: Widget, kid: str) -> str:
    answer = ada.post(f"{WIDGETS}{widget.pk}/secret/", {"kid": kid})
    assert "no-store" in answer["Cache-Control"]
    return _secret(answer.content.decode())


def _token(secret: str, kid: str, at: datetime) -> str:
    claims = {"sub": "7", "aud": "pk_demo", "iat": at, "exp": at.timestamp() + 600}
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": kid})


@pytest.mark.time_machine(datetime.fromisoformat("2026-01-12T08:00Z"), tick=False)
def test_a_secret_is_shown_once_and_signs(ada: Client, widget: Widget, at: datetime) -> None:
    secret = _add(ada, widget, "first")

    assert secret.startswith("sk_")
    signed = identity.read(widget, _token(secret, "first", at))
    assert signed is not None and signed.subject == "7"
    shown = ada.get(f"{WIDGETS}{widget.pk}/").content.decode()
    assert "<code>first</code>" in shown and secret not in shown
    assert secret not in widget.secrets.get().sealed
    assert AuditEntry.objects.get(action="secret_added").after == {"kid": "first"}


@pytest.mark.time_machine(datetime.fromisoformat("2026-01-12T08:00Z"), tick=False)
def test_one_is_replaced_while_the_other_holds(ada: Client, widget: Widget, at: datetime) -> None:
    _add(ada, widget, "old")
    current = _add(ada, widget, "current")
    third = ada.post(f"{WIDGETS}{widget.pk}/secret/", {"kid": "third"}, follow=True)
    assert "Two secrets hold already" in third.content.decode()

    fresh = _secret(ada.post(f"{WIDGETS}{widget.pk}/rotation/").content.decode())

    kids = list(widget.secrets.values_list("kid", flat=True))
    assert kids[0] == "current" and len(kids) == 2
    for kid, secret in zip(kids, (current, fresh), strict=True):
        assert identity.read(widget, _token(secret, kid, at)) is not None
    ada.post(f"{WIDGETS}{widget.pk}/secret_removal/", {"kid": "current"})
    with pytest.raises(identity.NotSigned):
        identity.read(widget, _token(current, "current", at))


@pytest.mark.parametrize("kid", ["a b", "<b>", "x" * 41, "ä"])
def test_a_name_that_is_none_is_refused(kid: str, ada: Client, widget: Widget) -> None:
    answer = ada.post(f"{WIDGETS}{widget.pk}/secret/", {"kid": kid}, follow=True)

    assert "letters, digits" in answer.content.decode()
    assert not widget.secrets.exists()


def test_the_snippet_and_the_three_directives(ada: Client, widget: Widget) -> None:
    shown = ada.get(f"{WIDGETS}{widget.pk}/").content.decode()

    assert "/chat/loader.js&#34; data-key=&#34;pk_demo&#34;&gt;&lt;/script&gt;" in shown
    assert all(f"{name} http" in shown for name in ("script-src", "connect-src", "frame-src"))


def test_a_colour_nothing_can_be_read_on_is_said(ada: Client, widget: Widget) -> None:
    Widget.objects.update(color="#767b81")

    shown = ada.get(f"{WIDGETS}{widget.pk}/").content.decode()

    assert "Text could not be read on #767b81" in shown


def test_what_keeps_slack_from_being_told_is_said(ada: Client, widget: Widget, at: datetime) -> None:
    chats = [begin(visitor(at), "Hello", at=at) for _number in range(2)]
    Chat.objects.update(widget=widget)
    SlackThread.objects.bulk_create([SlackThread(chat=chats[0], error="channel_not_found"), SlackThread(chat=chats[1])])
    page = f"{WIDGETS}{widget.pk}/"
    assert "channel_not_found" not in ada.get(page).content.decode(), "the latest one was told"
    SlackThread.objects.filter(chat=chats[1]).update(error="Slack answered 200: <not_in_channel>")

    assert "Slack answered 200: &lt;not_in_channel&gt;" in ada.get(page).content.decode()
    assert "&lt;not_in_channel&gt;" in ada.get(f"/desk/conversations/{chats[1].pk}/").content.decode()


def test_a_widget_in_use_stays(ada: Client, widget: Widget, at: datetime) -> None:
    booking = book(visitor(at), at=at)

    answer = ada.post(f"{WIDGETS}{booking.widget_id}/delete/")

    assert answer.status_code == 422
    assert Widget.objects.filter(pk=booking.widget_id).exists()


def test_hours_are_changed_and_on_record(ada: Client, company: Company) -> None:
    always = Calendar.objects.get(name="24x7")
    given = {"is_on": "on", "calendar": always.pk, "seats": "5", "lead_minutes": "2 h", "days": "7"}

    assert ada.post(HOURS, given).status_code == 302
    assert ada.post(HOURS, given).status_code == 302

    rules = BookingHours.objects.get()
    assert (rules.calendar, rules.seats, rules.lead_minutes, rules.days) == (always, 5, 120, 7)
    assert AuditEntry.objects.get(kind="bookinghours").action == "created"


@pytest.mark.parametrize(
    ("field", "value"),
    [("seats", "0"), ("seats", "101"), ("lead_minutes", "5 min"), ("lead_minutes", "soon"), ("lead_minutes", ""),
     ("days", "29"), ("days", "0"), ("calendar", "999999")],
)  # fmt: skip
def test_hours_that_make_no_sense_are_refused(field: str, value: str, ada: Client) -> None:
    given = {"is_on": "on", "calendar": "", "seats": "2", "lead_minutes": "1 h", "days": "14"} | {field: value}

    answer = ada.post(HOURS, given)

    assert answer.status_code == 422
    assert 'id="summary"' in answer.content.decode()
    assert not BookingHours.objects.exists()


@pytest.mark.time_machine(datetime.fromisoformat("2026-01-12T08:00Z"), tick=False)
def test_what_is_booked_and_offered_is_shown(ada: Client, at: datetime) -> None:
    booking = book(visitor(at), at=at)

    shown = ada.get(HOURS).content.decode()

    assert f"/desk/conversations/{booking.conversation_id}/" in shown
    assert "Tue 13 Jan 2026, 14:00" in shown and "Mon 12 Jan 2026, 10:00" in shown
    Booking.objects.update(state="cancelled")
    assert "No chat is booked." in ada.get(HOURS).content.decode()
