"""What single areas do beyond list and form."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django.fixtures import DjangoAssertNumQueries

from helpdesk.conversations.models import Tag
from helpdesk.customers import audit
from helpdesk.customers.actions import digest
from helpdesk.customers.models import ApiToken, AuditEntry, Service, User
from helpdesk.desk.fields import DurationField, written
from helpdesk.events import webhooks
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event, Webhook, WebhookDelivery
from helpdesk.oncall import rotas
from helpdesk.oncall.models import Override, Schedule
from helpdesk.sla.models import Calendar
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.tickets.settings.rows import fill
from tickets.desk import rules
from tickets.desk.models import Macro, NotificationChoice, Rule, SavedView

FEED = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:{0}0101T000000Z\r\n"
    "DTSTART;VALUE=DATE:{0}1224\r\nSUMMARY:Eve\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [("30 min", 30), ("4 h", 240), ("1 h 30 min", 90), ("45", 45), ("2h", 120), ("1H5M", 65), (" 12 hours ", 720)],
)
def test_a_duration_is_read_as_people_write_it(typed: str, minutes: int) -> None:
    assert DurationField().clean(typed) == minutes
    assert DurationField().clean(written(minutes)) == minutes


def test_deadlines_of_an_unsaved_calendar_are_shown(company: Company) -> None:
    office = Calendar.objects.get(name="12x5")
    page = {"name": "12x5", "timezone": "Europe/Berlin", "fri": "08-20", "mon": "10-20", "start": "2026-01-16T18:30"}

    answer = logged_in(company.ada).post(f"/desk/settings/calendars/{office.pk}/", {**page, "preview": "1"})

    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "Fri 16 Jan, 19:00" in shown  # urgent, 30 minutes
    assert "Mon 19 Jan, 12:30" in shown  # high, 4 hours: 1.5 on Friday, the rest on Monday
    office.refresh_from_db()
    assert office.week["mon"] == [["08:00", "20:00"]]


def test_a_day_that_is_off_moves_the_deadline(company: Company) -> None:
    page = {"name": "New", "timezone": "Europe/Berlin", "fri": "08-20", "mon": "10-20", "tue": "10-20",
            "holidays": "2026-01-19 Away", "start": "2026-01-16T18:30", "preview": "1"}  # fmt: skip

    shown = logged_in(company.ada).post("/desk/settings/calendars/new/", page).content.decode()

    assert "Tue 20 Jan, 12:30" in shown
    assert not Calendar.objects.filter(name="New").exists()


def test_holidays_are_imported_and_taken_out(company: Company) -> None:
    calendar, browser = Calendar.objects.get(name="24x7"), logged_in(company.ada)
    base = f"/desk/settings/calendars/{calendar.pk}/"
    browser.post(f"{base}country/", {"country": "fr"})
    assert calendar.holidays.filter(feed__source="library:FR").exists()
    browser.post(f"{base}ical/", {"name": "own", "text": FEED.format(now().year)})
    assert calendar.holidays.filter(name="Eve").count() == 1
    feed = calendar.feeds.get(source="library:FR")

    browser.post(f"{base}feed/", {"feed": feed.pk})

    assert set(calendar.feeds.values_list("source", flat=True)) == {"ical:own"}
    assert AuditEntry.objects.filter(kind="calendar", thing_id=calendar.pk).count() == 3
    for what, given in (("country", {"country": "XX"}), ("ical", {"text": "nothing"})):
        page = browser.post(f"{base}{what}/", given, follow=True).content.decode()
        assert 'class="notice error"' in page


def test_the_picture_of_a_schedule_shows_gaps_and_who_stands_in(company: Company) -> None:
    schedule, browser = Schedule.objects.get(), logged_in(company.ada)
    browser.post(
        f"/desk/settings/schedules/{schedule.pk}/",
        {"name": schedule.name, "timezone": "Europe/Berlin", "fallback": company.ada.pk, "layer-parts": "1",
         "layer0-members": "grace@demo.example", "layer0-turn": "1", "layer0-rotation": "weekly",
         "layer0-handoff": "09:00", "layer0-starts_on": "2026-01-05", "layer0-days": ["0"], "layer0-start": "08:00",
         "layer0-end": "20:00"},
    )  # fmt: skip

    page = browser.get(f"/desk/settings/schedules/{schedule.pk}/").content.decode()

    assert "gaps in the next two weeks" in page
    assert "gaps in 14 days" in browser.get("/desk/settings/schedules/").content.decode()


def test_one_more_layer_is_offered_and_nothing_is_saved(company: Company) -> None:
    schedule, browser = Schedule.objects.get(), logged_in(company.ada)
    before = audit.stored(schedule, "layers")
    given = {"name": "Renamed", "timezone": "Europe/Berlin", "fallback": company.ada.pk, "layer-parts": "1",
             "layer0-members": "linus@demo.example", "more": "layer"}  # fmt: skip

    page = browser.post(f"/desk/settings/schedules/{schedule.pk}/", given).content.decode()

    assert 'name="layer1-members"' in page and "linus@demo.example" in page and 'value="Renamed"' in page
    assert audit.stored(schedule, "layers") == before


def test_a_stand_in_is_taken_back(company: Company) -> None:
    schedule, at = Schedule.objects.get(), now()
    later = at.replace(year=at.year + 1)
    actor = Actor.agent(company.ada)
    override = rotas.stand_in(schedule, company.linus, later, later.replace(year=at.year + 2), at=at, actor=actor)

    logged_in(company.ada).post(f"/desk/settings/stand-ins/{override.pk}/delete/")

    assert not Override.objects.exists()


def test_a_renamed_tag_takes_its_namesake_over_everywhere(company: Company, at: datetime) -> None:
    old, new = Tag.objects.create(name="vip"), Tag.objects.create(name="important")
    both, one = write(company.carol, at), write(company.gil, at)
    both.tags.set([old, new])
    one.tags.set([old])
    view = SavedView.objects.create(name="V", filters={"tag": ["vip", "loud"]}, updated_at=at)
    macro = Macro.objects.create(name="M", actions=[{"do": "add_tags", "value": ["vip"]}], updated_at=at)
    rule = Rule.objects.create(
        name="R", event="conversation.opened", conditions=[{"field": "tag", "operator": "is", "value": ["vip"]}],
        actions=[{"do": "remove_tags", "value": ["vip", "important"]}], updated_at=at,
    )  # fmt: skip

    logged_in(company.ada).post(f"/desk/settings/tags/{old.pk}/", {"name": "Important"})

    assert not Tag.objects.filter(name="vip").exists()
    assert [tag.name for tag in both.tags.all()] == [tag.name for tag in one.tags.all()] == ["important"]
    for row in (view, macro, rule):
        row.refresh_from_db()
    assert view.filters == {"tag": ["important", "loud"]}
    assert macro.actions == [{"do": "add_tags", "value": ["important"]}]
    assert rule.conditions[0]["value"] == ["important"] and rule.actions[0]["value"] == ["important"]


def test_a_token_is_shown_once_and_revoked(company: Company) -> None:
    browser = logged_in(company.linus)

    answer = browser.post("/desk/settings/tokens/new/", {"name": "backup"})

    made = ApiToken.objects.get(user=company.linus)
    shown = answer.content.decode().partition('id="secret" readonly value="')[2].partition('"')[0]
    assert digest(shown) == made.digest
    assert "no-store" in answer["Cache-Control"]
    assert shown not in browser.get("/desk/settings/tokens/").content.decode()
    browser.post(f"/desk/settings/tokens/{made.pk}/delete/")
    made.refresh_from_db()
    assert made.revoked_at is not None


def test_a_dry_run_changes_nothing(company: Company) -> None:
    conversation = write(company.carol, now(), subject="Server is down")
    rule = {"name": "Loud", "event": "conversation.opened", "position": "0", "is_active": "on",
            "condition-parts": "1", "condition0-field": "subject", "condition0-operator": "contains",
            "condition0-value": "down", "step-parts": "1", "step0-do": "set_priority:urgent",
            "preview": "1"}  # fmt: skip

    page = logged_in(company.ada).post("/desk/settings/rules/new/", rule).content.decode()

    assert "It would have acted on this" in page and "Server is down" in page
    assert not Rule.objects.exists()
    conversation.refresh_from_db()
    assert conversation.priority == "normal"


def test_a_webhook_is_tested_rotated_and_replayed(company: Company, at: datetime) -> None:
    rows, browser = fill(company.ada, at), logged_in(company.ada)
    base, hook = f"/desk/settings/webhooks/{rows['webhooks']}/", Webhook.objects.get()
    browser.post(f"{base}test/")
    told = WebhookDelivery.objects.get()
    assert told.kind == webhooks.TEST_KIND
    assert "webhook.test" in browser.get(base).content.decode()
    WebhookDelivery.objects.update(state="failed", due_at=None)

    browser.post(f"{base}replay/", {"delivery": told.pk})
    secret = browser.post(f"{base}rotation/").content.decode()

    told.refresh_from_db()
    assert told.state == "pending"
    assert 'value="whsec_' in secret
    before = hook.secret
    hook.refresh_from_db()
    assert hook.secret != before and hook.old_secret == before
    assert AuditEntry.objects.filter(kind="webhook", action="rotated").count() == 1


def test_an_account_that_does_not_answer_says_so(company: Company, at: datetime) -> None:
    rows = fill(company.ada, at)
    base = f"/desk/settings/accounts/{rows['accounts']}/"

    page = logged_in(company.ada).post(f"{base}test/", follow=True).content.decode()

    assert "It does not work" in page


def test_the_audit_log_is_filtered_and_keeps_no_secret(company: Company) -> None:
    browser = logged_in(company.ada)
    browser.post("/desk/settings/tags/new/", {"name": "loud"})
    browser.post("/desk/settings/blocked/new/", {"handle": "x@bad.example"})

    assert "x@bad.example" in browser.get("/desk/settings/audit/").content.decode()
    only = browser.get("/desk/settings/audit/?kind=tag").content.decode()
    assert "loud" in only and "x@bad.example" not in only
    assert "Nothing here" in browser.get(f"/desk/settings/audit/?who={company.linus.pk}").content.decode()


def test_an_agent_sets_profile_and_alerts(company: Company) -> None:
    browser = logged_in(company.linus)
    profile = {"name": "Linus T", "language": "de", "timezone": "Europe/Lisbon", "single_keys": "on"}
    assert browser.post("/desk/settings/profile/", profile | {"timezone": "CET"}).status_code == 422
    assert browser.post("/desk/settings/profile/", profile).status_code == 302
    linus = User.objects.get(pk=company.linus.pk)
    assert (linus.name, linus.language, linus.timezone, linus.notify_by_email) == (
        "Linus T",
        "de",
        "Europe/Lisbon",
        False,
    )
    assert linus.role == company.linus.role
    answer = browser.get("/desk/", headers={"Accept-Language": "fr"})
    assert '<html lang="de"' in answer.content.decode() and answer.headers["Content-Language"] == "de"

    given = {"mention:badge": "on", "mention:mail": "on", "risk:mail": "on", "quiet_from": "22:00"}
    assert browser.post("/desk/notifications/", given).status_code == 422
    loud = {"quiet_until": "07:00", "volume": "30", "rings_for_urgent": "on"}
    assert browser.post("/desk/notifications/", given | loud).status_code == 302
    choice = NotificationChoice.objects.get(user=linus)
    assert choice.ways["mention"] == ["badge", "mail"] and choice.ways["risk"] == []
    assert (choice.volume, choice.rings_for_chats, choice.rings_for_urgent) == (30, False, True)
    for odd, kept in (("900", 100), ("-1", 60), ("loud", 60)):
        browser.post("/desk/notifications/", {"volume": odd})
        assert NotificationChoice.objects.get(user=linus).volume == kept


def test_a_viewer_sets_what_is_theirs(company: Company) -> None:
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    browser = logged_in(company.linus)

    profile = {"name": "Linus", "language": "en", "timezone": "Europe/Berlin"}
    assert browser.post("/desk/settings/profile/", profile).status_code == 302
    assert browser.post("/desk/settings/tokens/new/", {"name": "x"}).status_code == 200
    assert User.objects.get(pk=company.linus.pk).role == User.Role.VIEWER


def test_an_agent_is_invited_made_inactive_and_never_the_last_admin(company: Company) -> None:
    browser = logged_in(company.ada)
    base = f"/desk/settings/agents/{company.ada.pk}/"
    me = {
        "name": "Ada",
        "email": "ada@demo.example",
        "role": "agent",
        "language": "en",
        "timezone": "Europe/Berlin",
        "is_active": "on",
    }

    answer = browser.post(base, me)

    assert answer.status_code == 422 and "last admin" in answer.content.decode()
    invited = {**me, "name": "Kay", "email": "kay@demo.example", "role": "viewer"}
    browser.post("/desk/settings/agents/new/", invited)
    kay = User.objects.get(email="kay@demo.example")
    assert kay.role == User.Role.VIEWER and not kay.has_usable_password()
    browser.post(f"/desk/settings/agents/{kay.pk}/invitation/")
    assert Event.objects.filter(kind="agent.invited").count() == 2
    browser.post(
        f"/desk/settings/agents/{kay.pk}/", {key: value for key, value in invited.items() if key != "is_active"}
    )
    kay.refresh_from_db()
    assert not kay.is_active


def test_the_status_page_says_what_waits(company: Company) -> None:
    page = logged_in(company.ada).get("/desk/settings/status/").content.decode()

    assert "mails in quarantine" in page and "Parts of the engine" in page


def test_rules_and_macros_are_said_without_a_look_for_each(
    company: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = logged_in(company.ada)
    services = [Service.objects.create(name=f"service {number}", kind="website") for number in range(6)]

    def one(number: int) -> list[dict[str, object]]:
        return [{"do": "assign", "value": company.grace.pk}, {"do": "add_services", "value": [services[number].pk]}]

    def add(number: int) -> None:
        rule = {"name": f"Rule {number}", "event": "conversation.opened", "conditions": [], "actions": one(number)}
        rules.save_rule(Rule(), rule, at=now())
        Macro.objects.create(name=f"Macro {number}", actions=one(number), updated_at=now())

    add(0)
    asked = {}
    for area in ("rules", "macros"):
        with CaptureQueriesContext(connection) as first:
            client.get(f"/desk/settings/{area}/")
        asked[area] = len(first)
    for number in range(1, 6):
        add(number)
    for area in ("rules", "macros"):
        with django_assert_num_queries(asked[area]):
            page = client.get(f"/desk/settings/{area}/").content.decode()
        assert page.count("Grace Hopper · Add services: service") == 6
