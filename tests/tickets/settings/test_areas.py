"""Every area: something is added, changed and removed by its pages, what is wrong is said, all of it is on record."""

from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils.timezone import now

from helpdesk.customers.models import AuditEntry, Plan, User
from helpdesk.desk.areas import Area
from helpdesk.events.models import Event
from helpdesk.sla.models import Calendar, Policy
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.tickets.settings.given import given
from tests.tickets.settings.rows import fill
from tickets.models import Mailbox
from tickets.views.settings import urls

AREAS = {area.key: area for area in urls.AREAS if area.adds}


def test_no_area_is_forgotten(company: Company) -> None:
    assert given().keys() == AREAS.keys()


@pytest.mark.parametrize("key", AREAS)
def test_adding_and_changing(key: str, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpdesk.events.webhook_calls.check", lambda url: None)
    area, browser = AREAS[key], logged_in(company.ada)
    valid, wrong, words = given()[key]
    before = set(area.model._default_manager.values_list("pk", flat=True))
    base = f"/desk/settings/{key}/"

    refused = browser.post(f"{base}new/", valid | wrong)
    assert refused.status_code == 422
    assert words in refused.content.decode().replace("&#x27;", "'")
    assert set(area.model._default_manager.values_list("pk", flat=True)) == before

    answer = browser.post(f"{base}new/", valid)
    assert answer.status_code in (200, 302), _refused(answer)
    (made,) = set(area.model._default_manager.values_list("pk", flat=True)) - before
    _is_on_record(area, made, "blocked" if key == "blocked" else "created")
    name = str(area.model._default_manager.get(pk=made))
    if key != "notifications":
        assert name in browser.get(base).content.decode()
    if area.edits:
        _unchanged_when_saved_as_shown(area, made, company)


def _unchanged_when_saved_as_shown(area: Area, pk: int, company: Company) -> None:
    """Opening a page and saving it changes nothing: what it shows is what there is."""
    browser, base = logged_in(company.ada), f"/desk/settings/{area.key}/{pk}/"
    shown = browser.get(base)
    assert shown.status_code == 200
    before, entries = area.snapshot(area.model._default_manager.get(pk=pk)), AuditEntry.objects.count()

    answer = browser.post(base, _fields(shown.content.decode()))

    assert answer.status_code == 302, _refused(answer)
    after = area.snapshot(area.model._default_manager.get(pk=pk))
    assert _known(after) == _known(before)
    assert AuditEntry.objects.count() - entries <= 1


def _refused(answer: Any) -> str:
    """The summary on top of a page that was not saved."""
    page: str = answer.content.decode()
    return page.partition('id="summary"')[2].partition("</ul>")[0]


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """Without what each saving writes anew, such as ids of rows that are replaced."""
    volatile = {"updated_at", "version", "planned_until"}
    return {name: value for name, value in values.items() if name not in volatile and not isinstance(value, list)}


def _fields(page: str) -> list[tuple[str, str]] | dict[str, Any]:
    """What a browser sends for the page's main form."""

    class Form(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.sent: dict[str, list[str]] = {}
            self.inside = self.select = self.area = ""
            self.has_chosen = False
            self.first: dict[str, str] = {}

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = {name: value or "" for name, value in attrs}
            if tag == "form":
                self.inside = "form" if given.get("class") == "form" else ""
            if not self.inside or "disabled" in given:
                return
            if tag == "input" and given.get("name"):
                if given.get("type") not in ("checkbox", "radio", "file") or "checked" in given:
                    is_ticked = given.get("type") == "checkbox"
                    self._send(given["name"], given.get("value", "on" if is_ticked else ""))
            elif tag == "select":
                self.select, self.has_chosen = given["name"], "multiple" in given
            elif tag == "option" and self.select:
                if "selected" in given:
                    self._send(self.select, given["value"])
                    self.has_chosen = True
                self.first.setdefault(self.select, given["value"])
            elif tag == "textarea":
                self.area = given["name"]
                self.sent[self.area] = [""]

        def handle_endtag(self, tag: str) -> None:
            if tag == "form":
                self.inside = ""
            elif tag == "select":
                if not self.has_chosen and self.select in self.first:
                    self._send(self.select, self.first[self.select])
                self.select = ""
            elif tag == "textarea":
                self.area = ""

        def handle_data(self, data: str) -> None:
            if self.area:
                self.sent[self.area][0] += data.removeprefix("\n") if not self.sent[self.area][0] else data

        def _send(self, name: str, value: str) -> None:
            self.sent.setdefault(name, []).append(value)

    form = Form()
    form.feed(page)
    assert "csrfmiddlewaretoken" in form.sent
    return form.sent


def _is_on_record(area: Area, pk: int, action: str) -> None:
    kind = area.model._meta.model_name
    entry = AuditEntry.objects.filter(kind=kind, thing_id=pk, action=action).get()
    assert entry.actor is not None and entry.actor.email == "ada@demo.example"
    assert entry.after.get("secret", "") in ("", "(hidden)")


@pytest.mark.parametrize("key", [area.key for area in urls.AREAS if area.removes])
def test_removing(key: str, company: Company, at: datetime) -> None:
    area = next(area for area in urls.AREAS if area.key == key)
    rows, browser = fill(company.ada, at), logged_in(company.ada)
    pk = rows[key]
    if key in ("plans", "policies", "calendars", "schedules", "services"):
        pk = _unused(key)
    elif key == "mailboxes":
        pk = Mailbox.objects.create(address="x@demo.example", name="X").pk
    elif key == "escalations":
        pk = type(area.model._default_manager.get(pk=pk))._default_manager.create(name="Other").pk
    where = f"/desk/settings/{key}/{pk}/delete/"
    assert browser.get(where).status_code == 200
    assert area.rows(company.ada).filter(pk=pk).exists()

    answer = browser.post(where)

    assert answer.status_code == 302
    assert not area.rows(company.ada).filter(pk=pk).exists()
    _is_on_record(area, pk, {"blocked": "unblocked", "erasures": "erased"}.get(key, "deleted"))


def _unused(key: str) -> int:
    calendar = Calendar.objects.order_by("pk")[0]
    ada = User.objects.get(email="ada@demo.example")
    values: dict[str, dict[str, Any]] = {
        "plans": {"name": "X", "policy": Policy.objects.all()[0], "support_hours": calendar},
        "policies": {"name": "X", "calendar": calendar},
        "calendars": {"name": "X", "timezone": "UTC", "week": {}},
        "schedules": {"name": "X", "timezone": "UTC", "fallback": ada},
        "services": {"name": "x", "kind": "website"},
    }
    made = AREAS[key].model._default_manager.create(**values[key])
    pk: int = made.pk
    return pk


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("plans", "default plan"),
        ("policies", "still needed"),
        ("calendars", "still needed"),
        ("mailboxes", "default"),
        ("escalations", "default"),
        ("schedules", "still needed"),
    ],
)
def test_what_is_needed_is_not_removed(where: str, why: str, company: Company) -> None:
    area = next(area for area in urls.AREAS if area.key == where)
    rows = area.model._default_manager.order_by("pk")
    needed = rows.filter(is_default=True)[0] if where in ("plans", "mailboxes", "escalations") else rows[0]

    answer = logged_in(company.ada).post(f"/desk/settings/{where}/{needed.pk}/delete/")

    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert rows.filter(pk=needed.pk).exists()


def test_lifting_a_suspension_says_who(company: Company, at: datetime) -> None:
    rows = fill(company.ada, at)

    logged_in(company.ada).post(f"/desk/settings/suspended/{rows['suspended']}/delete/")

    assert Event.objects.get(kind="suspension.lifted").actor_id == company.ada.pk


@pytest.mark.parametrize("key", ["customers", "organizations", "tags"])
def test_long_lists_come_in_parts_and_are_searched(key: str, company: Company) -> None:
    area, browser = AREAS[key], logged_in(company.ada)
    plan = Plan.objects.all()[0]
    for number in range(120):
        values: dict[str, Any] = {"name": f"thing {number:03}"}
        if key == "customers":
            values["created_at"] = now()
        if key == "organizations":
            values |= {"plan": plan, "customer_since": "2026-01-01"}
        area.model._default_manager.create(**values)
    seen: set[int] = set()
    total, where = area.model._default_manager.count(), f"/desk/settings/{key}/"
    for _ in range(10):
        page = browser.get(where).content.decode()
        part = {int(row.split("/")[0]) for row in page.split(f'class="t" href="/desk/settings/{key}/')[1:]}
        assert len(part) <= 50 and not part & seen
        seen |= part
        if "after=" not in page:
            break
        where = f"/desk/settings/{key}/?after=" + page.split("after=")[1].split('"')[0]
    assert len(seen) == total

    found = browser.get(f"/desk/settings/{key}/?q=thing 077").content.decode()
    assert "thing 077" in found and "thing 078" not in found
    assert "Nothing found" in browser.get(f"/desk/settings/{key}/?q=zzz%00zz").content.decode()
