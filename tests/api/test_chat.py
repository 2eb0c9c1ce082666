"""Widgets, booked chats and grants over the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from chat.models import Booking, ChatGrant, Widget
from helpdesk.customers.models import AuditEntry, Team
from helpdesk.events import secrets
from helpdesk.events.models import Event
from tests.api.conftest import Caller
from tests.chat.booking import HALF_AN_HOUR, TUESDAY, book
from tests.chat.continuing import visitor
from tests.fixtures.company import Company


@pytest.fixture
def booking(company: Company, at: datetime) -> Booking:
    return book(visitor(at), at=at)


def test_a_widget_is_made_and_changed(ada: Caller) -> None:
    given = {"name": "Shop", "origins": ["HTTPS://Shop.Example:443/", "https://bücher.example"], "team": "Support",
             "color": "#0B6E4F"}  # fmt: skip
    made = ada("post", "/widgets/", given)

    assert made.status_code == 201
    widget = made.json()
    assert widget["key"].startswith("pk_") and widget["color"] == "#0b6e4f"
    assert widget["origins"] == ["https://shop.example", "https://xn--bcher-kva.example"]
    changed = ada("patch", f"/widgets/{widget['id']}/", {"is_active": False, "key": "pk_mine"}).json()
    assert (changed["is_active"], changed["key"]) == (False, widget["key"])
    assert AuditEntry.objects.filter(kind="widget", thing_id=widget["id"]).count() == 2
    assert ada("delete", f"/widgets/{widget['id']}/").status_code == 204


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"color": "red"},
        {"color": "#12345"},
        {"team": "Nobody"},
        {"when_closed": "explode"},
        *({"origins": [one]} for one in (
            "shop.example", "https://", "ftp://shop.example", "https://shop.example/path", "https://a b", "https://*",
            "https://shop.example:99999", "https://me@shop.example", "https://shop.example; script-src *", "null",
            "https://" + "a" * 260 + ".example", "https://\u2028",
        )),
        {"origins": [f"https://shop{number}.example" for number in range(51)]},
    ],
)  # fmt: skip
def test_a_widget_that_makes_no_sense_is_refused(given: dict[str, Any], ada: Caller) -> None:
    widget = Widget.objects.get(key="pk_demo")

    answer = ada("patch", f"/widgets/{widget.pk}/", given)

    assert answer.status_code == 400
    assert list(answer.json()) == list(given)


@pytest.mark.parametrize("origin", ["https://shop.example/", " https://shop.example\n", "https://shop.example?"])
def test_what_means_an_origin_is_one(origin: str, ada: Caller) -> None:
    widget = Widget.objects.get(key="pk_demo")

    assert ada("patch", f"/widgets/{widget.pk}/", {"origins": [origin]}).json()["origins"] == ["https://shop.example"]


def test_secrets_are_shown_once(ada: Caller) -> None:
    widget = Widget.objects.get(key="pk_demo")

    made = ada("post", f"/widgets/{widget.pk}/secrets/", {"kid": "2026"}).json()

    assert made["kid"] == "2026" and made["secret"].startswith("sk_")
    assert secrets.decrypt(widget.secrets.get().sealed) == made["secret"]
    shown = ada("get", f"/widgets/{widget.pk}/").json()["secrets"]
    assert [(one["kid"], one["secret"]) for one in shown] == [("2026", None)]
    assert ada("post", f"/widgets/{widget.pk}/secrets/", {"kid": "2026"}).status_code == 400
    assert ada("delete", f"/widgets/{widget.pk}/secrets/2026/").status_code == 204
    assert ada("delete", f"/widgets/{widget.pk}/secrets/2026/").status_code == 400


def test_an_agent_moves_and_cancels_a_booked_chat(
    grace: Caller, booking: Booking, company: Company, at: datetime
) -> None:
    with time_machine.travel(at, tick=False):
        assert [one["id"] for one in grace("get", "/bookings/", state="booked").json()["results"]] == [booking.pk]
        assert grace("get", "/bookings/", before="2026-01-13T00:00:00Z").json()["results"] == []

        later = (TUESDAY + HALF_AN_HOUR).isoformat()
        moved = grace("patch", f"/bookings/{booking.pk}/", {"starts_at": later, "state": "held"}).json()
        assert (datetime.fromisoformat(moved["starts_at"]), moved["state"]) == (TUESDAY + HALF_AN_HOUR, "booked")
        nonsense = grace("patch", f"/bookings/{booking.pk}/", {"starts_at": "2026-01-13T03:00:00Z"})
        assert list(nonsense.json()) == ["starts_at"]
        gone = grace("post", f"/bookings/{booking.pk}/cancellation/").json()
        assert gone["state"] == "cancelled"
        assert grace("patch", f"/bookings/{booking.pk}/", {"starts_at": later}).status_code == 409
    by = Event.objects.filter(kind__in=["chat.rebooked", "chat.booking_cancelled"]).values_list("actor", flat=True)
    assert list(by) == [company.grace.pk] * 2


def test_booked_chats_of_a_private_team_are_its_own(grace: Caller, ada: Caller, booking: Booking) -> None:
    assert booking.conversation is not None
    booking.conversation.team = Team.objects.create(name="Board", is_private=True)
    booking.conversation.save()

    assert grace("get", f"/bookings/{booking.pk}/").status_code == 404
    assert grace("get", "/bookings/").json()["results"] == []
    assert ada("get", f"/bookings/{booking.pk}/").status_code == 200


def test_a_grant_lasts_a_day_or_as_long_as_is_said(grace: Caller, company: Company, at: datetime) -> None:
    where = f"/customers/{company.carol.pk}/chat-grants/"
    with time_machine.travel(at, tick=False):
        grace("post", where, {})
        grace("post", where, {"until": (at + timedelta(days=3)).isoformat()})
        assert grace("post", where, {"until": (at + timedelta(days=32)).isoformat()}).status_code == 400

    found = grace("get", where).json()
    assert [datetime.fromisoformat(one["until"]) - at for one in found] == [timedelta(days=3), timedelta(days=1)]
    assert {one["by"] for one in found} == {company.grace.pk}
    assert ChatGrant.objects.count() == 2
    assert grace("get", "/customers/999999/chat-grants/").status_code == 404
