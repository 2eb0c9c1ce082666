"""Which pages may open a session, and how often a signed token opens one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from chat import limits, sessions, widgets
from chat.models import UsedToken, Visit, Widget, WidgetSecret
from helpdesk.events import secrets
from tests.chat.visiting import KEY, SECRET, token
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db
SHOP, EVIL, OURS = "https://shop.example", "https://evil.example", "http://testserver"


@pytest.fixture(autouse=True)
def widget(company: Company, at: datetime) -> Iterator[Widget]:
    limits.forget()
    found = Widget.objects.get(key=KEY)
    WidgetSecret.objects.create(widget=found, kid="k1", sealed=secrets.encrypt(SECRET), created_at=at)
    with time_machine.travel(at, tick=False):
        yield found


def _open(*, origin: str | None = None, header: str | None = None, **given: Any) -> tuple[int, str]:
    """Status and code of the answer."""
    body = {"key": KEY, **given} | ({} if origin is None else {"origin": origin})
    headers = {} if header is None else {"Origin": header}
    answer = Client().post("/chat/api/session", body, content_type="application/json", headers=headers)
    return answer.status_code, answer.json().get("code", "")


def _list(widget: Widget, *origins: str) -> None:
    Widget.objects.filter(pk=widget.pk).update(origins=list(origins))
    widgets.forget(widget)


@pytest.mark.parametrize(
    ("origin", "header"),
    [
        (EVIL, OURS),
        (EVIL, None),
        ("", OURS),
        (None, None),
        (SHOP, EVIL),
        (OURS, EVIL),
        (SHOP, "null"),
        ("https://shop.example.evil.example", OURS),
    ],
)
def test_a_widget_with_a_list_is_for_no_other_pages(widget: Widget, origin: str | None, header: str | None) -> None:
    _list(widget, SHOP)

    assert _open(origin=origin, header=header) == (403, "origin")
    assert not Visit.objects.exists()


@pytest.mark.parametrize(("origin", "header"), [(SHOP, OURS), (SHOP, None), (SHOP, SHOP), (OURS, OURS)])
def test_the_pages_on_the_list_and_our_own_may(widget: Widget, origin: str, header: str | None) -> None:
    _list(widget, SHOP)

    assert _open(origin=origin, header=header)[0] == 201
    assert Visit.objects.get().origin == origin


@pytest.mark.parametrize(("origin", "header"), [(EVIL, OURS), (None, None), ("", "null")])
def test_a_widget_without_a_list_is_for_every_page(origin: str | None, header: str | None) -> None:
    assert _open(origin=origin, header=header)[0] == 201


def test_the_page_of_our_own_names_itself(widget: Widget) -> None:
    _list(widget, SHOP)

    assert f'data-origin="{OURS}"' in Client().get("/chat/").content.decode()


def test_a_token_with_an_id_opens_one_session(widget: Widget, at: datetime) -> None:
    signed = token(at, jti="once")

    assert [_open(user=signed) for _time in range(2)] == [(201, ""), (401, "used")]
    assert _open(user=token(at, jti="once", sub="u2")) == (401, "used")
    assert _open(user=token(at, jti="twice"))[0] == 201
    assert Visit.objects.count() == 2
    assert "once" not in UsedToken.objects.values_list("digest", flat=True)


def test_another_widgets_token_of_the_same_id_is_another(widget: Widget, at: datetime) -> None:
    other = Widget.objects.create(key="pk_other", name="Other", created_at=at)
    WidgetSecret.objects.create(widget=other, kid="k1", sealed=secrets.encrypt(SECRET), created_at=at)

    assert _open(user=token(at, jti="once"))[0] == 201
    assert _open(key="pk_other", user=token(at, jti="once", aud="pk_other"))[0] == 201


def test_a_token_without_an_id_may_come_again(at: datetime) -> None:
    assert [_open(user=token(at))[0] for _time in range(2)] == [201, 201]


@pytest.mark.parametrize("jti", [7, {"a": 1}, "x" * 201, "a\x00"])
def test_an_id_that_is_none_signs_nothing(at: datetime, jti: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # The library would not sign it; others do.
        patch.setattr("jwt.api_jwt.PyJWT._validate_jti", lambda *_: None, raising=False)
        assert _open(user=token(at, jti=jti)) == (401, "signature")


def test_used_tokens_are_forgotten_once_they_hold_no_more(at: datetime) -> None:
    _open(user=token(at, jti="once"))

    sessions.forget_tokens(at + timedelta(minutes=5))
    assert UsedToken.objects.exists()
    sessions.forget_tokens(at + timedelta(minutes=6))
    assert not UsedToken.objects.exists()
