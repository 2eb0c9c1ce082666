"""What admins configure and agents read: people, plans, services, calendars, policies, tags; and the mail ledger."""

from typing import Any

import pytest
from django.utils import timezone

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, Organization, Plan, User
from helpdesk.sla.models import Calendar, Clock, Policy
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tickets.models import InboundEmail

pytestmark = pytest.mark.django_db

WEEK = {"mon": [["09:00", "17:00"]], "tue": [["09:00", "12:00"], ["13:00", "24:00"]]}


def test_customers_are_found_and_kept(grace: Caller, company: Company) -> None:
    added = grace("post", "/customers/", {"email": "Zoe@Globex.example", "name": "Zoe", "timezone": "Asia/Tokyo"})
    assert added.status_code == 201, added.content
    shown = added.json()
    assert shown["email"] == "zoe@globex.example" and shown["organization"] == company.gil.organization_id
    assert shown["identities"] == [{"channel": "email", "handle": "zoe@globex.example", "verified_at": None}]
    assert grace("post", "/customers/", {"email": "zoe@globex.example"}).status_code == 400
    path = f"/customers/{shown['id']}/"
    moved = grace("patch", path, {"email": "zoe@new.example", "notes": "Calls often."}).json()
    assert moved["email"] == "zoe@new.example" and moved["notes"] == "Calls often." and moved["name"] == "Zoe"
    assert [i["handle"] for i in moved["identities"]] == ["zoe@globex.example", "zoe@new.example"]
    taken = grace("patch", path, {"email": "carol@acme.example"})
    assert taken.status_code == 400 and taken.json()["email"]
    assert grace("get", path).json()["email"] == "zoe@new.example"
    for query in ({"email": "ZOE@new.example"}, {"q": "zoe"}, {"organization": company.gil.organization_id, "q": "zo"}):
        assert [row["id"] for row in grace("get", "/customers/", **query).json()["results"]] == [shown["id"]]
    assert grace("delete", path).status_code == 405
    assert grace("post", "/customers/", {}).status_code == 400
    assert grace("post", "/customers/", {"name": "No address"}).status_code == 201


def test_organizations_and_plans(ada: Caller, company: Company) -> None:
    plan = Plan.objects.get(name="Enterprise")
    body = {"name": "Hooli", "plan": plan.pk, "customer_since": "2026-01-01", "domains": ["Hooli.example"]}
    shown = ada("post", "/organizations/", body).json()
    assert shown["domains"] == ["hooli.example"]
    assert ada("delete", f"/organizations/{shown['id']}/").status_code == 204
    in_use = ada("delete", f"/plans/{plan.pk}/")
    assert in_use.status_code == 409 and "organization" in in_use.json()["detail"]
    default = Plan.objects.get(is_default=True)
    assert ada("patch", f"/plans/{default.pk}/", {"is_default": False}).status_code == 400
    assert ada("delete", f"/plans/{default.pk}/").status_code == 400
    assert ada("patch", f"/plans/{plan.pk}/", {"is_default": True}).status_code == 200
    assert list(Plan.objects.filter(is_default=True)) == [plan]
    assert Organization.objects.filter(name="Hooli").count() == 0


def test_services(ada: Caller, company: Company) -> None:
    cluster = ada("post", "/services/", {"kind": "cluster", "name": "C09", "aliases": ["Nine"]}).json()
    assert cluster["name"] == "c09" and cluster["aliases"] == ["nine"]
    server = ada("post", "/services/", {"kind": "server", "name": "c09-1", "parent": cluster["id"]}).json()
    assert ada("post", "/services/", {"kind": "server", "name": "C09-1"}).status_code == 400
    circle = ada("patch", f"/services/{cluster['id']}/", {"parent": server["id"]})
    assert circle.status_code == 400 and circle.json()["parent"]
    assert ada("delete", f"/services/{cluster['id']}/").status_code == 409


def test_agents(ada: Caller, company: Company) -> None:
    body = {"email": "Alan@demo.example", "name": "Alan", "password": "correct horse battery", "teams": []}
    shown = ada("post", "/agents/", body).json()
    assert shown["email"] == "alan@demo.example" and shown["role"] == "agent" and "password" not in shown
    alan = User.objects.get(pk=shown["id"])
    assert alan.check_password("correct horse battery")
    assert ada("patch", f"/agents/{alan.pk}/", {"name": "Alan Turing"}).status_code == 200
    alan.refresh_from_db()
    assert alan.check_password("correct horse battery"), "another change keeps the password"
    weak = ada("post", "/agents/", {**body, "email": "x@demo.example", "password": "123"})
    assert weak.status_code == 400 and weak.json()["password"]
    assert ada("post", "/agents/", {**body, "email": "ALAN@demo.example"}).status_code == 400
    assert not ada("post", "/agents/", {"email": "y@demo.example", "name": "Y"}).json().get("password")
    assert not User.objects.get(email="y@demo.example").has_usable_password()
    for removal in ({"role": "agent"}, {"is_active": False}):
        last = ada("patch", f"/agents/{company.ada.pk}/", removal)
        assert last.status_code == 400 and "admin" in str(last.json())
    assert User.objects.get(pk=company.ada.pk).is_admin


def test_calendars(ada: Caller, company: Company) -> None:
    body = {
        "name": "Shop hours",
        "timezone": "Europe/Vienna",
        "week": WEEK,
        "holidays": [{"date": "2026-10-26", "name": "National Day"}],
    }
    answer = ada("post", "/calendars/", body)
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    assert set(shown) == {"id", "name", "timezone", "week", "is_office", "version", "holidays"}
    assert shown["holidays"] == [{"date": "2026-10-26", "name": "National Day", "source": ""}]
    path = f"/calendars/{shown['id']}/"
    changed = ada("patch", path, {"holidays": [], "name": "Store hours"}).json()
    assert changed["holidays"] == [] and changed["name"] == "Store hours" and changed["week"] == WEEK
    assert changed["version"] > shown["version"]
    imported = ada("post", f"{path}holiday-imports/", {"country": "AT"}).json()
    year = timezone.now().year
    assert {"date": f"{year}-10-26", "name": "National Day", "source": "library:AT"} in imported["holidays"]
    unknown = ada("post", f"{path}holiday-imports/", {"country": "QQ"})
    assert unknown.status_code == 400 and unknown.json()["country"]
    assert ada("patch", path, {"is_office": True}).json()["is_office"] is True
    assert Calendar.objects.filter(is_office=True).count() == 1
    assert ada("delete", f"/calendars/{Calendar.objects.get(name='24x7').pk}/").status_code == 409
    assert ada("delete", path).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": "CET"},
        {"timezone": 5},
        {"week": {"mon": [["9", "17"]]}},
        {"week": {"mon": [["09:00"]]}},
        {"week": {"funday": []}},
        {"week": {}},
        {"week": []},
        {"week": None},
        {"week": "mon"},
        {"week": {"mon": [["00:00", "00:01"]]}},
        {"holidays": [{"date": "2026-02-30", "name": "x"}]},
        {"holidays": [{"date": "0001-01-01", "name": "x"}]},
        {"holidays": [{"date": "2026-01-01"}]},
        {"holidays": {"a": 1}},
        {"name": ""},
        {"name": "24x7"},
    ],
)
def test_a_senseless_calendar_is_refused_and_clocks_stay(
    ada: Caller, company: Company, conversation: Conversation, change: dict[str, Any]
) -> None:
    calendar = Calendar.objects.get(name="12x5")
    before, due = ada("get", f"/calendars/{calendar.pk}/").json(), list(Clock.objects.values_list("due_at", flat=True))
    answer = ada("patch", f"/calendars/{calendar.pk}/", change)
    assert answer.status_code == 400 and answer.json(), answer.content
    assert ada("get", f"/calendars/{calendar.pk}/").json() == before
    assert list(Clock.objects.values_list("due_at", flat=True)) == due


def test_a_calendar_that_never_opens_is_refused(ada: Caller, company: Company) -> None:
    answer = ada("post", "/calendars/", {"name": "Never", "timezone": "UTC", "week": {}})
    assert answer.status_code == 400 and "any opening" in str(answer.json())
    assert not Calendar.objects.filter(name="Never").exists()


def test_policies(ada: Caller, company: Company) -> None:
    calendar = Calendar.objects.get(name="12x5")
    goals = [
        {"target": "dispatch", "priority": "urgent", "live": False, "minutes": 15},
        {"target": "first_response", "priority": "normal", "live": False, "minutes": 720},
    ]
    answer = ada("post", "/policies/", {"name": "Swift", "calendar": calendar.pk, "goals": goals})
    assert answer.status_code == 201, answer.content
    path = f"/policies/{answer.json()['id']}/"
    assert sorted(ada("get", path).json()["goals"], key=str) == sorted(goals, key=str)
    renamed = ada("patch", path, {"name": "Swifter"}).json()
    assert renamed["name"] == "Swifter" and len(renamed["goals"]) == 2
    assert ada("patch", path, {"goals": goals[:1]}).json()["goals"] == goals[:1]
    for senseless in (
        [{"target": "lunch", "priority": "normal", "minutes": 5}],
        [{"target": "dispatch", "priority": "normal", "minutes": 0}],
        [{"target": "dispatch", "priority": "normal", "minutes": 10**9}],
        [{"target": "dispatch", "priority": "normal", "minutes": 5_000_000}],
        [goals[0], goals[0]],
        "none",
        [None],
    ):
        answer = ada("patch", path, {"goals": senseless})
        assert answer.status_code == 400 and answer.json()["goals"], senseless
    assert ada("get", path).json()["goals"] == goals[:1]
    assert ada("delete", path).status_code == 204
    assert ada("delete", f"/policies/{Policy.objects.get(name='12x5').pk}/").status_code == 409


def test_teams_and_tags(ada: Caller, grace: Caller, company: Company, conversation: Conversation) -> None:
    assert ada("post", "/teams/", {"name": "Support"}).status_code == 400
    team = ada("post", "/teams/", {"name": "Night watch"}).json()
    assert ada("delete", f"/teams/{team['id']}/").status_code == 204
    names = {tag["name"]: tag["id"] for tag in grace("get", "/tags/").json()["results"]}
    assert set(names) == {"acme.example", "c01"}
    assert ada("patch", f"/tags/{names['c01']}/", {"name": "Cluster-1"}).json()["name"] == "cluster-1"
    assert ada("post", "/tags/", {"name": "CLUSTER-1"}).status_code == 400
    assert "cluster-1" in grace("get", f"/conversations/{conversation.pk}/").json()["tags"]


def test_the_ledger(grace: Caller, conversation: Conversation) -> None:
    at = timezone.now()
    common = {"received_at": at, "raw": b"x", "sha256": "0" * 64, "size": 1}
    waiting = InboundEmail.objects.create(source="smtp", transport_key="1", due_at=at, **common)
    filed = InboundEmail.objects.create(
        source="pipe",
        transport_key="2",
        state="filed",
        settled_at=at,
        mail_id="a@b",
        conversation=conversation,
        **common,
    )
    shown = grace("get", "/inbound-emails/").json()["results"]
    assert [row["id"] for row in shown] == [filed.pk, waiting.pk]
    assert set(shown[0]) == {
        "id", "source", "message_id", "sha256", "received_at", "state", "conversation", "error",
    }  # fmt: skip
    assert shown[0]["conversation"] == conversation.pk and shown[0]["message_id"] == "a@b"
    for query in ({"state": "filed"}, {"source": "pipe"}, {"message_id": "<a@b>"}, {"conversation": conversation.pk}):
        assert [row["id"] for row in grace("get", "/inbound-emails/", **query).json()["results"]] == [filed.pk]
    assert grace("get", f"/inbound-emails/{waiting.pk}/").json()["state"] == "accepted"
    assert grace("get", "/inbound-emails/", state="lost").status_code == 400
    assert Customer.objects.filter(pk=conversation.customer_id).exists()
