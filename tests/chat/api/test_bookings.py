"""Slots and bookings over HTTP, as the panel asks for them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from chat import limits, links, sessions
from chat.models import Booking, BookingHours, Chat, Widget
from tests.chat.booking import HALF_AN_HOUR, TUESDAY
from tests.chat.continuing import widget

pytestmark = pytest.mark.usefixtures("monday")


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class Panel:
    """A visitor's page with a session."""

    def __init__(self, at: datetime, session: str = "") -> None:
        self.session = session or sessions.open_visit(widget(), None, at=at, timezone="Europe/Berlin")[1]

    def __call__(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self.session}"}
        if method == "get":
            return Client().get(f"/chat/api/{path}", query, headers=headers)
        return Client().post(f"/chat/api/{path}", body, content_type="application/json", headers=headers)

    def book(self, at: datetime = TUESDAY, **more: Any) -> Any:
        body = {"cid": str(uuid4()), "starts_at": _ms(at), "topic": "Help", "email": "n@cafe.example"} | more
        return self("post", "bookings", body)


@pytest.fixture
def panel(at: datetime, monday: None) -> Panel:
    return Panel(at)


def test_slots_in_the_visitors_zone_and_language(panel: Panel) -> None:
    answer = panel("get", "slots", tz="Africa/Lagos", lang="de").json()

    assert (answer["tz"], answer["minutes"]) == ("Africa/Lagos", 30)
    first = answer["days"][0]
    assert (first["date"], first["says"]) == ("2026-01-12", "Montag, 12. Januar")
    assert first["slots"][0] == {
        "at": _ms(datetime(2026, 1, 12, 9, 0, tzinfo=UTC)),
        "until": _ms(datetime(2026, 1, 12, 9, 30, tzinfo=UTC)),
        "says": "10:00",
        "left": 2,
    }


@pytest.mark.parametrize("zone", ["", "Mars/Crater", "../../etc/passwd", "x" * 500, "Europe"])
def test_an_unknown_zone_is_the_sessions(zone: str, panel: Panel) -> None:
    assert panel("get", "slots", tz=zone).json()["tz"] == "Europe/Berlin"


def test_booking_moving_and_cancelling(panel: Panel) -> None:
    made = panel.book()
    assert made.status_code == 201
    booking = made.json()
    assert (booking["state"], booking["starts_at"]) == ("booked", _ms(TUESDAY))
    assert panel("get", "bookings").json()["bookings"] == [booking]

    moved = panel("post", f"bookings/{booking['id']}/move", {"starts_at": _ms(TUESDAY + HALF_AN_HOUR)}).json()
    assert moved["starts_at"] == _ms(TUESDAY + HALF_AN_HOUR)
    gone = panel("post", f"bookings/{booking['id']}/cancellation")
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    again = panel("post", f"bookings/{booking['id']}/move", {"starts_at": _ms(TUESDAY)})
    assert (again.status_code, again.json()["code"]) == (409, "over")


def test_the_same_request_again(panel: Panel) -> None:
    cid = str(uuid4())

    first, second = panel.book(cid=cid), panel.book(cid=cid)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_a_taken_time_says_so_with_the_times_that_are_left(panel: Panel, at: datetime) -> None:
    BookingHours.objects.create(pk=1, seats=1)
    Panel(at).book(email="other@cafe.example")

    answer = panel.book()

    assert (answer.status_code, answer.json()["code"]) == (409, "taken")
    left = {slot["at"] for day in answer.json()["days"] for slot in day["slots"]}
    assert left and _ms(TUESDAY) not in left


def test_others_bookings_do_not_exist(panel: Panel, at: datetime) -> None:
    booking = Panel(at).book().json()

    assert panel("get", "bookings").json() == {"bookings": []}
    assert panel("post", f"bookings/{booking['id']}/cancellation").status_code == 404
    assert Booking.objects.get().state == "booked"


def test_the_link_of_the_mail_opens_its_own_booking_alone(panel: Panel, at: datetime) -> None:
    booking, other = panel.book().json(), panel.book(TUESDAY + HALF_AN_HOUR).json()
    chat = Chat.objects.get(conversation__bookings__public_id=booking["id"])
    _visit, session = links.enter(widget(), links.make(chat, at=at).partition("#resume=")[2], at=at)

    mail = Panel(at, session)

    assert [one["id"] for one in mail("get", "bookings").json()["bookings"]] == [booking["id"]]
    assert mail("post", f"bookings/{other['id']}/cancellation").status_code == 404
    assert mail("post", f"bookings/{booking['id']}/cancellation").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"starts_at": "soon"}, "field"),
        ({"starts_at": True}, "field"),
        ({"starts_at": -1}, "field"),
        ({"starts_at": 10**30}, "field"),
        ({"starts_at": _ms(TUESDAY) + 1}, "slot"),
        ({"starts_at": 253_402_214_399_999}, "slot"),
        ({"cid": "x"}, "field"),
        ({"topic": "x" * 501}, "field"),
        ({"topic": {}}, "field"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b\r\nBcc: c@d.example"}, "email"),
        ({"email": ""}, "email"),
        ({"tz": 5}, "field"),
    ],
)
def test_nonsense_is_refused(body: dict[str, Any], code: str, panel: Panel) -> None:
    answer = panel.book(**body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Booking.objects.exists()


def test_no_session_no_booking() -> None:
    for path in ("slots", "bookings", f"bookings/{uuid4()}/cancellation"):
        assert Client().post(f"/chat/api/{path}", {}, content_type="application/json").status_code in (401, 405)
    assert Client().get("/chat/api/slots").status_code == 401


def test_a_flood_is_told_when_it_may_go_on(panel: Panel) -> None:
    for _ in range(limits.BOOKINGS_OF_VISIT.burst):
        assert panel.book().status_code in (201, 409)

    answer = panel.book()

    assert (answer.status_code, answer.json()["code"]) == (429, "rate")
    assert int(answer["Retry-After"]) > 0


def test_only_those_the_page_has_signed_for(panel: Panel) -> None:
    Widget.objects.update(only_verified=True)

    assert panel.book().json()["code"] == "sign"
