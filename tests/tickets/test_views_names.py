"""Fields that name things there may be very many of: nothing is cut without a way to it."""

from datetime import datetime

import pytest
from django.http import QueryDict
from django.test import Client

from helpdesk.customers.models import Organization, Service
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk import facts_sql, inbox, narrowing
from tickets.desk.filters import BadFilter

MANY = narrowing.MOST_SERVICES + 5


@pytest.fixture
def many(company: Company) -> list[Service]:
    """More services of one organization than a page lists."""
    made = Service.objects.bulk_create(
        Service(name=f"n{number:04}.acme.example", kind="website") for number in range(MANY)
    )
    acme = company.carol.organization
    assert acme is not None
    acme.services.add(*made)
    return made


def _names(client: Client, kind: str, typed: str) -> list[str]:
    return [one["name"] for one in client.get(f"/desk/names/{kind}/", {"q": typed}).json()["results"]]


def test_names_are_found_by_their_beginning_first(company: Company, many: list[Service]) -> None:
    client = logged_in(company.grace)
    Service.objects.create(name="0204.example", kind="website")

    assert _names(client, "service", "0204") == ["0204.example", "n0204.acme.example"]
    assert len(_names(client, "service", "N0")) == 8 and _names(client, "service", " ") == []
    assert _names(client, "service", "\x00%_") == []
    acme = Organization.objects.order_by("pk").first()
    assert acme is not None and acme.name in _names(client, "organization", acme.name[:3])
    assert client.get("/desk/names/customer/?q=a").status_code == 404
    assert Client().get("/desk/names/service/?q=n").status_code in (302, 401)


def test_a_list_is_narrowed_to_a_service_beyond_the_first(company: Company, many: list[Service], at: datetime) -> None:
    mine, other = write(company.carol, at, subject="Here"), write(company.gil, at, subject="There")
    mine.services.add(many[-1])
    client = logged_in(company.grace)
    form = client.get("/desk/filter/").content.decode()
    assert 'name="service_name"' in form and many[0].name not in form

    for typed in (many[-1].name, many[-1].name.upper(), many[-1].name[:8]):
        page = client.get("/desk/", {"view": "filter", "service_name": typed}).content.decode()
        assert f'id="c{mine.pk}"' in page and f'id="c{other.pk}"' not in page
        assert f"service={many[-1].pk}" in page and "service_name" not in page
    again = client.get("/desk/filter/", {"view": "filter", "service": str(many[-1].pk)}).content.decode()
    assert f'value="{many[-1].name}"' in again
    with pytest.raises(BadFilter):
        inbox.asked(QueryDict("view=filter&service_name=nowhere"), company.grace)


def test_services_beyond_the_list_stay_and_are_added_by_name(
    company: Company, many: list[Service], at: datetime
) -> None:
    assert facts_sql.MOST_SERVICES < MANY
    conversation = write(company.carol, at)
    conversation.services.set([many[-1]])
    client = logged_in(company.grace)
    page = client.get(f"/desk/conversations/{conversation.pk}/").content.decode()
    assert f'name="was_services" value="{many[-1].pk}"' in page and 'name="add_service"' in page

    kept = {"was_services": [many[-1].pk], "services": [many[-1].pk]}
    path = f"/desk/conversations/{conversation.pk}/work/"
    client.post(path, {**kept, "add_service": many[-2].name.upper()})
    assert set(conversation.services.all()) == {many[-1], many[-2]}
    client.post(path, {**kept, "add_service": "nowhere.example"})
    assert set(conversation.services.all()) == {many[-1], many[-2]}


def test_fields_of_the_settings_ask_the_server(company: Company) -> None:
    page = logged_in(company.ada).get("/desk/settings/services/new/").content.decode()
    assert page.count('data-names="/desk/names/organization/"') == 1
    assert page.count('data-names="/desk/names/service/"') == 1
