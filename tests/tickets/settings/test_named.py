"""Rows named in a text where there may be thousands: found by name, beginning and number, and never listed all."""

from datetime import date

import pytest
from django import forms
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.customers.models import Organization, Plan, Service
from helpdesk.desk.named import SUGGESTED, NamedField, NamedManyField
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in

pytestmark = pytest.mark.django_db


def _organization(name: str) -> Organization:
    return Organization.objects.create(name=name, plan=Plan.objects.earliest("pk"), customer_since=date(2026, 1, 1))


def test_by_name_by_its_beginning_and_by_number(company: Company) -> None:
    field = NamedField(Organization.objects.all(), required=False)
    twins = [_organization("Twin"), _organization("Twin"), _organization("Twin Peaks")]
    acme = Organization.objects.get(name="Acme Media")

    assert field.clean("  acme   media ") == field.clean("acm") == field.clean(f"#{acme.pk}") == acme
    assert field.clean("twin p") == twins[2]
    assert field.clean("") is None
    for several in ("twin", "TWIN"):
        with pytest.raises(forms.ValidationError, match=f"#{twins[0].pk}, Twin #{twins[1].pk}"):
            field.clean(several)
    for nothing in ("nobody", "#0", "#99999999999999999999", f"#{'9' * 18}", "%", "\\"):
        with pytest.raises(forms.ValidationError, match="nothing called"):
            field.clean(nothing)
    assert field.prepare_value(acme.pk) == field.prepare_value(f"#{acme.pk}") == "Acme Media"
    assert field.prepare_value(twins[1].pk) == f"#{twins[1].pk}"
    assert field.prepare_value("acm") == "acm" and field.prepare_value(None) is None


def test_several_one_a_line(company: Company) -> None:
    field = NamedManyField(Organization.objects.all(), required=False)
    rows = list(Organization.objects.order_by("name"))
    written = field.prepare_value([row.pk for row in rows])

    assert written == "\n".join(row.name for row in rows)
    assert field.clean(f"{written}\r\n\r\n{rows[0].name}") == rows
    assert field.clean("") == []
    with pytest.raises(forms.ValidationError, match="Nowhere"):
        field.clean(f"{written}\nNowhere")


def test_thousands_are_not_drawn(company: Company) -> None:
    plan = Plan.objects.earliest("pk")
    Organization.objects.bulk_create(
        [Organization(name=f"Customer {n:04}", plan=plan, customer_since=date(2026, 1, 1)) for n in range(1000)]
    )
    Service.objects.bulk_create([Service(name=f"server-{n}.example", kind="server") for n in range(1000)])
    browser = logged_in(company.ada)

    for address in (f"customers/{company.carol.pk}/", "services/new/"):
        with CaptureQueriesContext(connection) as asked:
            page = browser.get(f"/desk/settings/{address}").content.decode()
        assert page.count("<option") - page.partition('id="zones"')[2].count("<option") <= SUGGESTED + 20, address
        assert len(asked) < 20
    saved = browser.post(
        f"/desk/settings/customers/{company.carol.pk}/", {"name": "Carol", "organization": "customer 0999"}
    )
    assert saved.status_code == 302
    company.carol.refresh_from_db()
    assert str(company.carol.organization) == "Customer 0999"
    wrong = browser.post(f"/desk/settings/customers/{company.carol.pk}/", {"name": "Carol", "organization": "custom"})
    assert wrong.status_code == 422 and "may be several" in wrong.content.decode()
