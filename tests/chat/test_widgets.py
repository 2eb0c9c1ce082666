"""What pages are told of a widget: who may ask, who is there, and when somebody is."""

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from chat import availability, colors, widgets
from chat.models import ChatAgent, Visit, Widget
from helpdesk.conversations.files import keep
from helpdesk.customers.models import Customer, User
from tests.fixtures.company import Company
from tests.fixtures.desk import picture

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example"


@pytest.fixture
def widget(company: Company) -> Widget:
    return Widget.objects.get(key="pk_demo")


def _config(client: Client, origin: str = SHOP, **asked: str) -> "tuple[int, dict[str, object], str | None]":
    response = client.get("/chat/config", {"key": "pk_demo", **asked}, headers={"Origin": origin})
    return response.status_code, json.loads(response.content), response.headers.get("Access-Control-Allow-Origin")


def test_asking_creates_nothing_and_may_be_kept_a_minute(client: Client, widget: Widget) -> None:
    before = Customer.objects.count()
    response = client.get("/chat/config", {"key": "pk_demo"})

    assert response["Cache-Control"] == "public, max-age=60"
    assert (Visit.objects.count(), Customer.objects.count()) == (0, before)
    assert not response.cookies


def test_every_page_may_read_it_where_none_are_listed(client: Client, widget: Widget) -> None:
    assert _config(client)[::2] == (200, "*")


def test_only_listed_pages_may_read_it(client: Client, widget: Widget) -> None:
    Widget.objects.filter(pk=widget.pk).update(origins=[SHOP])

    assert _config(client)[::2] == (200, SHOP)
    assert _config(client, "https://evil.example")[::2] == (403, None)
    assert _config(client, "https://shop.example.evil.example")[::2] == (403, None)
    assert _config(client, "null")[::2] == (403, None)


@pytest.mark.parametrize("key", ["", "pk_other", "x" * 500, "pk demo", "pk_demo\x00", "../pk_demo"])
def test_a_key_that_is_none_is_said_so(client: Client, widget: Widget, key: str) -> None:
    response = client.get("/chat/config", {"key": key})

    assert (response.status_code, response.json()["code"]) == (404, "key")
    assert client.get("/chat/frame/", {"key": key}).status_code == 404


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("#C22C2C", ("#c22c2c", "#ffffff")),
        ("#ffff00", ("#ffff00", "#0b1020")),
        ("red", ("#2f55d4", "#ffffff")),
        ("#c22c2c;background:url(x)", ("#2f55d4", "#ffffff")),
        ("", ("#2f55d4", "#ffffff")),
    ],
)
def test_a_page_may_have_a_colour_of_its_own(
    client: Client, widget: Widget, asked: str, shown: tuple[str, str]
) -> None:
    told = _config(client, color=asked)[1]
    frame = client.get("/chat/frame/", {"key": "pk_demo", "origin": SHOP, "color": asked}).content.decode()

    assert (told["color"], told["ink"]) == shown
    assert f'"color": "{shown[0]}"' in frame


def test_what_was_changed_is_told_at_once_where_it_was_changed(client: Client, widget: Widget) -> None:
    _config(client)
    Widget.objects.filter(pk=widget.pk).update(greeting="Good morning")
    widgets.forget(widget)

    assert _config(client)[1]["greeting"] == "Good morning"


def test_a_widget_that_is_off_is_none(client: Client, widget: Widget) -> None:
    Widget.objects.filter(pk=widget.pk).update(is_active=False)

    assert _config(client)[0] == 404


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("de", "de"), ("de-AT,de;q=0.9", "de"), ("pt-br", "pt"), ("tlh,fr;q=0.5", "fr"), ("", "en"), ("\x00;;,", "en")],
)
def test_the_page_s_language_is_spoken(client: Client, widget: Widget, wanted: str, spoken: str) -> None:
    assert _config(client, lang=wanted)[1]["lang"] == spoken


def test_the_frame_is_for_listed_pages_only(client: Client, widget: Widget) -> None:
    Widget.objects.filter(pk=widget.pk).update(origins=[SHOP])
    ours = client.get("/chat/frame/", {"key": "pk_demo", "origin": SHOP})
    theirs = client.get("/chat/frame/", {"key": "pk_demo", "origin": "https://evil.example"})

    assert f"frame-ancestors {SHOP};" in ours["Content-Security-Policy"]
    assert "X-Frame-Options" not in ours
    assert f'data-origin="{SHOP}"' in ours.content.decode()
    assert "frame-ancestors 'none'" in theirs["Content-Security-Policy"]
    assert 'data-origin=""' in theirs.content.decode()


@pytest.mark.parametrize(
    "origin",
    [
        'https://a.example"><script>',
        "javascript:alert(1)",
        "https://a.example/path",
        "https://[::1",
        "https://a:b@c",
        "*",
    ],
)
def test_what_is_no_origin_is_nobody_s(client: Client, widget: Widget, origin: str) -> None:
    page = client.get("/chat/frame/", {"key": "pk_demo", "origin": origin})

    assert 'data-origin=""' in page.content.decode()
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


def test_neither_frame_nor_page_run_what_is_not_ours(client: Client, widget: Widget) -> None:
    Widget.objects.filter(pk=widget.pk).update(greeting="</script><img src=x onerror=alert(1)>")
    for address in ("/chat/frame/?key=pk_demo&origin=https://shop.example", "/chat/"):
        page = client.get(address)

        assert "<img src=x" not in page.content.decode()
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in page["Content-Security-Policy"]


def test_the_full_page_leads_on_without_scripts(client: Client, widget: Widget) -> None:
    page = client.get("/chat/")

    assert "<noscript>" in page.content.decode() and "/tickets/new/" in page.content.decode()
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


def test_the_loader_is_asked_for_again_only_when_it_has_changed(client: Client) -> None:
    first = client.get("/chat/loader.js")
    again = client.get("/chat/loader.js", headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert "max-age=3600" in first["Cache-Control"]
    assert first["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_who_was_active_last_is_shown(widget: Widget, company: Company, at: datetime) -> None:
    ChatAgent.objects.filter(user=company.ada).update(active_at=at, public_name="Countess")
    ChatAgent.objects.filter(user=company.grace).update(active_at=at + timedelta(hours=1))
    ChatAgent.objects.filter(user=company.linus).update(active_at=at + timedelta(hours=2), is_shown=False)

    assert [one["name"] for one in widgets.team(widget)] == ["Grace", "Countess"]

    User.objects.filter(pk=company.grace.pk).update(is_active=False)
    assert [one["name"] for one in widgets.team(widget)] == ["Countess"]


def test_a_picture_is_seen_while_its_agent_is(client: Client, widget: Widget, company: Company) -> None:
    content = picture().content
    ChatAgent.objects.filter(user=company.ada).update(picture=keep(content))
    address = next(one["avatar"] for one in widgets.team(widget) if one["name"] == "Ada")
    shown = client.get(address)
    ChatAgent.objects.filter(user=company.ada).update(is_shown=False)

    assert (shown.content, shown["Content-Type"]) == (content, "image/png")
    assert client.get(address).status_code == 404
    assert client.get(f"/chat/pictures/{company.grace.pk}/{address.rpartition('/')[2]}").status_code == 404


def test_somebody_is_there_in_office_hours_while_an_agent_is(widget: Widget, company: Company, at: datetime) -> None:
    there = availability.of(widget, at=at)
    night = availability.of(widget, at=at + timedelta(hours=14))
    ChatAgent.objects.update(state=ChatAgent.State.AWAY)
    away = availability.of(widget, at=at)

    assert (there.is_live, there.closes_at, there.next_open_at) == (True, at + timedelta(hours=11), None)
    assert (night.is_live, night.closes_at, night.next_open_at) == (False, None, at + timedelta(hours=23))
    assert (away.is_open, away.is_live) == (True, False)


def test_another_team_s_agents_are_not_there(widget: Widget, company: Company, at: datetime) -> None:
    assert widget.team is not None
    widget.team.members.clear()

    assert not availability.of(widget, at=at).is_live
    assert widgets.team(widget) == []


def test_a_widget_may_hide_while_nobody_is_there(widget: Widget, company: Company, at: datetime) -> None:
    widget.when_closed = Widget.Closed.HIDE

    assert not widgets.config(widget, "en", at=at)["hides"]
    assert widgets.config(widget, "de", at=at + timedelta(hours=14))["hides"]


@given(st.integers(0, 0xFFFFFF))
def test_text_can_be_read_on_any_colour(number: int) -> None:
    asked = f"#{number:06x}"
    ground, ink, is_moved = colors.readable(asked)

    assert colors.contrast(ground, ink) >= colors.LEAST
    assert is_moved == (ground != asked)
