"""What may this customer do now, and why; plans that change on a day."""

from datetime import datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils.timezone import now

from chat import grants
from helpdesk.customers import actions as customers
from helpdesk.customers import plan_changes
from helpdesk.customers.models import AuditEntry, Organization, Plan, PlanChange
from helpdesk.sla import entitlement, entitlement_words
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.portal.conftest import SignedIn

pytestmark = pytest.mark.django_db


def _organization(company: Company) -> Organization:
    assert company.carol.organization is not None
    return company.carol.organization


def _of_carol(company: Company, at: datetime) -> entitlement.Entitled:
    company.carol.refresh_from_db()
    return entitlement.explain(company.carol, at=at)


def _chat(found: entitlement.Entitled) -> tuple[bool, str]:
    return next((one.is_open, one.why) for one in found.channels if one.name == "chat")


def test_each_reason_is_told(company: Company, at: datetime) -> None:
    organization = _organization(company)
    assert _chat(_of_carol(company, at)) == (False, "over")
    Organization.objects.filter(pk=organization.pk).update(customer_since=at.date())
    found = _of_carol(company, at)
    assert _chat(found) == (True, "first_days") and found.realtime_until == at.date() + timedelta(days=29)
    assert found.is_open and found.closes_at is not None and found.plan_why == "organization"
    said = {line.key: line for line in entitlement_words.lines(found, at)}
    assert "until" in said["realtime"].says and said["realtime"].tone == "ok"
    assert _chat(_of_carol(company, at + timedelta(days=30))) == (False, "over")
    before = _of_carol(company, at - timedelta(days=2))
    assert _chat(before) == (False, "ahead"), "before they came, and for who comes next month"
    assert entitlement_words.lines(before, at - timedelta(days=2))[2].says.startswith("From ")
    grants.give(company.carol, company.grace, at=at + timedelta(days=40))
    granted = _of_carol(company, at + timedelta(days=40, hours=1))
    assert _chat(granted) == (True, "grant") and granted.grants[0].by == "Grace Hopper"
    Plan.objects.filter(pk=organization.plan_id).update(realtime="always")
    assert _chat(_of_carol(company, at)) == (True, "plan")
    type(company.carol).objects.filter(pk=company.carol.pk).update(blocked_at=at)
    assert not any(one.is_open for one in _of_carol(company, at).channels)


def test_a_change_of_plan_comes_once_on_its_day(company: Company, at: datetime) -> None:
    organization, better = _organization(company), Plan.objects.exclude(pk=_organization(company).plan_id)[0]
    for day in (at, at - timedelta(days=1), at + timedelta(days=9999)):
        with pytest.raises(plan_changes.BadDay):
            plan_changes.plan(organization, better, due_at=day, by=company.ada, at=at)
    change = plan_changes.plan(
        organization, better, due_at=at + timedelta(days=7), by=company.ada, at=at, reason="Bought"
    )
    assert _of_carol(company, at).changes[0].plan == better
    # Asked about a day to come, it has come.
    ahead = _of_carol(company, at + timedelta(days=8))
    assert ahead.plan == better and not ahead.changes
    # What is open then is what that plan includes, not today's.
    Plan.objects.filter(pk=better.pk).update(realtime="always", realtime_channels=["chat", "whatsapp"])
    ahead = _of_carol(company, at + timedelta(days=8))
    assert _chat(ahead) == (True, "plan") and ahead.channels[-1].name == "whatsapp"
    assert _chat(_of_carol(company, at + timedelta(days=6))) == (False, "over")
    assert plan_changes.sweep(at + timedelta(days=6)) == 0
    assert plan_changes.sweep(at + timedelta(days=7)) == 1 and plan_changes.sweep(at + timedelta(days=7)) == 0
    organization.refresh_from_db()
    change.refresh_from_db()
    assert organization.plan == better and change.before_id is not None
    noted = AuditEntry.objects.filter(kind="organization").latest("pk")
    assert noted.actor == company.ada and noted.after == {"plan": better.pk}
    with pytest.raises(plan_changes.NotPlanned):
        plan_changes.take_back(change.pk, by=company.ada, at=at)


def test_it_is_planned_and_taken_back_in_the_settings(company: Company) -> None:
    admin, plan = logged_in(company.ada), Plan.objects.latest("pk")
    given = {"organization": _organization(company).name, "plan": plan.pk, "due_at": "2030-01-01T00:00", "reason": "x"}
    assert admin.post("/desk/settings/plan_changes/new/", given).status_code == 302
    change = PlanChange.objects.get()
    assert change.by == company.ada
    assert admin.post(f"/desk/settings/plan_changes/{change.pk}/delete/").status_code == 302
    assert not PlanChange.objects.exists()
    assert admin.post("/desk/settings/plan_changes/new/", {**given, "due_at": "2001-01-01T00:00"}).status_code == 422


def test_desk_portal_and_api_say_the_same(company: Company, signed_in: SignedIn) -> None:
    desk = logged_in(company.linus).get(f"/desk/customers/{company.carol.pk}/entitlements/?on=2027-01-04")
    portal = signed_in(company.carol).get("/portal/plan/")
    token = customers.create_token(company.linus, at=now())
    path = f"/api/v1/customers/{company.carol.pk}/entitlements/"
    api = Client().get(path, headers={"Authorization": f"Token {token}"})
    assert desk.status_code == portal.status_code == api.status_code == 200
    for line in api.json()["lines"]:
        if line["key"] in ("plan", "realtime", "channel:chat"):
            assert line["why"] in unescape(desk.content.decode()) and line["why"] in unescape(portal.content.decode())
    assert api.json()["goals"] and Client().get(path).status_code == 401
    assert Client().get(f"/desk/customers/{company.carol.pk}/entitlements/").status_code == 302
    assert signed_in(company.carol).get(f"/desk/customers/{company.carol.pk}/entitlements/").status_code == 302
