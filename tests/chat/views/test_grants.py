"""An agent gives a customer a day of live chat: on record, and seen until when."""

from datetime import datetime, timedelta

import pytest

from chat import entitlement, grants
from chat.models import ChatGrant
from helpdesk.customers.models import AuditEntry, Plan, User
from helpdesk.events.models import Event
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in

NOW = datetime.fromisoformat("2026-01-12T08:00Z")


def _where(company: Company) -> str:
    return f"/desk/customers/{company.carol.pk}/live-chat/"


@pytest.mark.time_machine(NOW, tick=False)
def test_a_day_of_live_chat(company: Company) -> None:
    Plan.objects.update(realtime=Plan.Realtime.NEVER)
    browser = logged_in(company.grace)
    assert "Not included" in browser.get(_where(company)).content.decode()

    answer = browser.post(_where(company), follow=True)

    assert "They can chat live until Tue 13 Jan, 09:00." in answer.content.decode()
    assert entitlement.of(company.carol, at=NOW + timedelta(hours=23)).why == "grant"
    assert not entitlement.of(company.carol, at=NOW + timedelta(hours=24)).is_live
    shown = browser.get(_where(company)).content.decode()
    assert "Given by an agent" in shown and "Grace Hopper, until Tue 13 Jan 2026, 09:00" in shown
    assert AuditEntry.objects.get(action="granted").actor == company.grace
    assert Event.objects.get(kind="chat.granted").actor == company.grace


def test_a_part_of_the_customers_page(company: Company) -> None:
    browser = logged_in(company.grace)

    part = browser.get(_where(company), headers={"HX-Request": "true", "HX-Target": "live-chat"}).content.decode()

    assert part.startswith('<section class="card" id="live-chat"')
    assert f'hx-get="{_where(company)}"' in browser.get(f"/desk/customers/{company.carol.pk}/").content.decode()


def test_viewers_read_and_give_nothing(company: Company) -> None:
    User.objects.filter(pk=company.grace.pk).update(role=User.Role.VIEWER)
    browser = logged_in(company.grace)

    assert "Give a day" not in browser.get(_where(company)).content.decode()
    assert browser.post(_where(company)).status_code == 403
    assert not ChatGrant.objects.exists()


def test_nobody_grants_for_ever_or_backwards(company: Company, at: datetime) -> None:
    for until in (at, at - timedelta(days=1), at + timedelta(days=32)):
        with pytest.raises(grants.TooLong):
            grants.give(company.carol, company.grace, at=at, until=until)
    assert not ChatGrant.objects.exists()


def test_there_is_no_such_customer(company: Company) -> None:
    assert logged_in(company.grace).get("/desk/customers/999999/live-chat/").status_code == 404
