"""Every area: something is added, changed and removed by its pages, what is wrong is said, all of it is on record."""

from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils.timezone import now

from helpdesk.customers.models import AuditEntry, Organization, Plan, Service, Team, User
from helpdesk.desk.areas import Area
from helpdesk.events.models import Event
from helpdesk.oncall.models import Schedule
from helpdesk.sla.models import Calendar, Policy
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.tickets.settings.rows import fill
from tickets.models import Mailbox
from tickets.views.settings import urls


def _given() -> dict[str, tuple[dict[str, Any], dict[str, Any], str]]:
    """For each area: what is valid, what makes it wrong, and a word of what is said then."""
    calendar, policy, plan = (model.objects.order_by("pk")[0].pk for model in (Calendar, Policy, Plan))
    mailbox, schedule = Mailbox.objects.order_by("pk")[0].pk, Schedule.objects.order_by("pk")[0].pk
    ada, team = User.objects.get(email="ada@demo.example").pk, Team.objects.order_by("pk")[0].pk
    cluster = Service.objects.filter(kind="cluster").order_by("pk")[0].name
    organization = f"#{Organization.objects.order_by('pk')[0].pk}"
    return {
        "mailboxes": (
            {"address": "new@demo.example", "name": "New", "priority": "high", "team": team, "aliases": "o@x.example"},
            {"aliases": "support@demo.example"},
            "belongs to",
        ),
        "accounts": (
            {"mailbox": mailbox, "host": "mail.example", "port": 993, "use_tls": "on", "username": "u", "secret": "s",
             "folder": "INBOX", "is_active": "on"},
            {"host": "no host"},
            "does not match",
        ),
        "teams": ({"name": "Night", "members": [ada], "is_private": "on"}, {"name": "support"}, "team of this name"),
        "agents": (
            {"name": "Kay", "email": "kay@demo.example", "role": "agent", "language": "en", "timezone": "Europe/Berlin",
             "teams": [team], "is_active": "on"},
            {"timezone": "Mars/Crater"},
            "time zone",
        ),
        "organizations": (
            {"name": "Hooli", "plan": plan, "customer_since": "2026-01-01", "domains": "hooli.example\nHooli.TEST"},
            {"customer_since": "soon"},
            "date",
        ),
        "customers": (
            {"name": "Hal", "email": "hal@hooli.example", "organization": organization, "notes": "Likes chess."},
            {"email": "carol@acme.example"},
            "customer already",
        ),
        "plans": (
            {"name": "Gold", "policy": policy, "support_hours": calendar, "realtime": "always", "realtime_days": "0",
             "realtime_channels": ["chat"]},
            {"name": "Standard"},
            "already exists",
        ),
        "services": (
            {"kind": "server", "name": "c09-web1.demo.example", "aliases": "c09", "parent": cluster,
             "organizations": [organization]},
            {"name": "c01"},
            "already exists",
        ),
        "policies": (
            {"name": "Fast", "calendar": calendar, "first_response-urgent": "15 min", "dispatch-urgent": "1h 30 min"},
            {"first_response-urgent": "soon"},
            "4 h",
        ),
        "calendars": (
            {"name": "Nights", "timezone": "Europe/Berlin", "mon": "22-06, 12:00–13:00", "holidays": "2026-12-24 Eve"},
            {"mon": "late"},
            "Write spans",
        ),
        "schedules": (
            {"name": "Nights", "timezone": "Europe/Berlin", "fallback": ada, "layer-parts": "1",
             "layer0-members": "grace@demo.example\nada@demo.example", "layer0-turn": "1", "layer0-rotation": "weekly",
             "layer0-handoff": "09:00", "layer0-starts_on": "2026-01-05", "layer0-days": ["0", "1"],
             "layer0-start": "20:00", "layer0-end": "08:00"},
            {"layer0-members": "nobody@demo.example"},
            "no active agent",
        ),
        "escalations": (
            {"name": "Nights", "step-parts": "2", "step0-who": f"schedule:{schedule}", "step0-minutes": "10",
             "step1-who": f"user:{ada}", "step1-minutes": "1 h", "repeats": "2"},
            {"step1-minutes": "never"},
            "4 h",
        ),
        "canned": (
            {"name": "Thanks", "shortcut": "thanks", "text": "Hi, {{ customer.first_name }}!", "audience": "all"},
            {"text": "{{ customer.shoe_size }}"},
            "shoe_size",
        ),
        "macros": (
            {"name": "Spam", "audience": "all", "step-parts": "2", "step0-do": "add_tags", "step0-text": "junk, spam",
             "step1-do": "set_status:closed"},
            {"step0-text": ""},
            "Say what",
        ),
        "views": (
            {"name": "Loud", "audience": str(team), "status": ["new"], "priority": ["urgent"], "tag": "vip, loud"},
            {"status": ["asleep"]},
            "asleep",
        ),
        "wallboards": ({"name": "Reception", "team": team}, {"team": "999999"}, "valid choice"),
        "tags": ({"name": "Brand New"}, {"name": "a, b"}, "comma"),
        "fields": (
            {"name": "Order number", "kind": "choice", "choices": "one\ntwo", "position": "3", "is_active": "on"},
            {"choices": ""},
            "choices",
        ),
        "rules": (
            {"name": "Loud", "is_active": "on", "event": "conversation.opened", "position": "1", "condition-parts": "1",
             "condition0-field": "organization", "condition0-operator": "is", "condition0-value": "acme media",
             "step-parts": "1", "step0-do": "set_priority:high"},
            {"condition0-value": "Nobody Inc"},
            "Nobody Inc",
        ),
        "webhooks": (
            {"name": "Room", "url": "https://203.0.113.9/x", "kinds": ["conversation.opened"], "is_active": "on"},
            {"kinds": ["made.up"]},
            "made.up",
        ),
        "blocked": ({"handle": "@Spam.example", "why": "spam"}, {"handle": "nonsense"}, "e-mail address"),
        "notifications": (
            {"urgency": "low", "channel": "email", "to": "me@demo.example", "minutes": "5", "quiet_from": "22:00",
             "quiet_until": "06:00"},
            {"quiet_until": ""},
            "a beginning and an end",
        ),
        "widgets": (
            {"name": "Shop", "team": team, "origins": "https://shop.example", "color": "#0B6E4F", "asks_name": "on",
             "when_closed": "hide", "is_active": "on"},
            {"origins": "shop.example/path"},
            "is no origin",
        ),
        "kb": (
            {"name_en": "Backups", "name_de": "Backups", "about_en": "Copies.", "position": "3", "icon": "server"},
            {"name_en": "", "name_de": ""},
            "needs a name",
        ),
        "components": (
            {"name": "web99.example", "description": "Shops", "position": "3", "own_state": "operational",
             "shows_uptime": "on", "started_on": "2026-01-05", "services": cluster},
            {"is_group": "on"},
            "stand for services",
        ),
        "incident_templates": (
            {"name": "Disks", "kind": "incident", "title": "Disks gone", "status": "investigating", "body": "We look."},
            {"status": "scheduled"},
            "other kind",
        ),
        "maintenance_series": (
            {"name": "Kernel", "body": "Restarts.", "begins": "2026-12-01T02:00", "timezone": "Europe/Berlin",
             "minutes": "2 h", "how": "FREQ=WEEKLY", "remind_minutes": "1 h"},
            {"how": "own", "rule": "FREQ=SOMETIMES"},
            "FREQ",
        ),
        "signals": (
            {"name": "Prometheus", "kind": "alertmanager", "mode": "propose", "holds_seconds": "60"},
            {"holds_seconds": "-1"},
            "greater than or equal",
        ),
        "subscribers": (
            {"kind": "email", "address": "reader@acme.example", "language": "en", "is_confirmed": "on"},
            {"address": "nonsense"},
            "nothing there",
        ),
        "phone": (
            {"name": "Night line", "number": "+49 30 99999", "language": "de", "longest_seconds": "180",
             "is_active": "on", "closed_de": "Bitte sprechen Sie.", "open_fr": "https://example.org/bonjour.mp3"},
            {"number": "030 123456"},
            "with its country",
        ),
        "plan_changes": (
            {"organization": "Acme Media", "plan": plan, "due_at": "2030-01-01T00:00", "reason": "Bought"},
            {"due_at": "2001-01-01T00:00"},
            "a time to come",
        ),
        "social": (
            {"network": "mastodon", "name": "Us", "coverage": "several", "checks": "08:30\n16:00", "send_delay": "20",
             "base_url": "https://mastodon.example", "secret_access_token": "t", "is_active": "on", "daily_cap": "2.50",
             "staff_handles": "@ada"},
            {"checks": "noon"},
            "times such as",
        ),
        "public_topics": ({"name": "Outages", "rule": "public", "words": "down\noutage", "position": "1"},
                          {"name": ""}, "required"),
        "topics": ({"name": "Moving", "hint": "From where?", "position": "2", "priority": "low"}, {"name": ""},
                   "required"),
        "tokens": ({"name": "backup"}, {"name": ""}, "required"),
    }  # fmt: skip


AREAS = {area.key: area for area in urls.AREAS if area.adds}


def test_no_area_is_forgotten(company: Company) -> None:
    assert _given().keys() == AREAS.keys()


@pytest.mark.parametrize("key", AREAS)
def test_adding_and_changing(key: str, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpdesk.events.webhook_calls.check", lambda url: None)
    area, browser = AREAS[key], logged_in(company.ada)
    valid, wrong, words = _given()[key]
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
