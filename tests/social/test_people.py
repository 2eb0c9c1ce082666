"""Whom a customer is known by: networks of many instances give the same number to different people."""

from datetime import datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from helpdesk.customers.models import Identity
from portal import linking
from social import people
from social.happenings import Author
from social.models import Account, Person
from tests.fixtures.company import Company
from tests.social.talk import account_on, said_to

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("network", ["mastodon", "discourse", "feed"])
def test_the_same_id_on_two_instances_is_two_people(network: str, company: Company, at: datetime) -> None:
    here = account_on(network, at, base_url="https://One.example/")
    there = account_on(network, at, external_id="other", base_url="https://two.example/")
    again = account_on(network, at, external_id="third", base_url="https://one.example")
    seven = Author(id="7", handle="@seven")
    customers = [people.seen(account, seven, at=at).customer for account in (here, there, again)]
    assert customers[0] == customers[2] != customers[1]
    handles = set(Identity.objects.filter(channel=network).values_list("handle", flat=True))
    assert handles == {"one.example:7", "two.example:7"}


def test_one_id_on_x_is_one_person_for_all_our_accounts(company: Company, at: datetime) -> None:
    one, two = account_on("x", at), account_on("x", at, external_id="other")
    assert people.seen(one, Author(id="7"), at=at).customer == people.seen(two, Author(id="7"), at=at).customer


def test_a_code_links_the_person_of_that_instance_alone(company: Company, at: datetime) -> None:
    here = account_on("mastodon", at, base_url="https://one.example")
    there = account_on("mastodon", at, external_id="other", base_url="https://two.example")
    stranger = said_to(there, "Mine is down", at, is_public=False)
    said_to(here, "So is mine", at, is_public=False)
    code = linking.code_for(company.carol, at=at)
    assert said_to(here, code, at, is_public=False, id="claims").customer == company.carol
    stranger.refresh_from_db()
    assert stranger.customer != company.carol
    assert Person.objects.get(account=there).customer == stranger.customer


def test_identities_of_before_are_told_apart(company: Company, at: datetime) -> None:
    """What the migration does, also to two people who were taken for one."""
    here = account_on("mastodon", at, base_url="https://one.example")
    there = account_on("mastodon", at, external_id="other", base_url="https://two.example")
    Identity.objects.create(channel="mastodon", handle="7", customer=company.carol, verified_at=at)
    kept = Identity.objects.create(channel="x", handle="7", customer=company.carol)
    for account in (here, there):
        Person.objects.create(account=account, external_id="7", customer=company.carol, updated_at=at)
    migration = import_module("social.migrations.0004_identities_of_instances")
    for _ in range(2):
        with connection.schema_editor() as editor:
            migration.name_instances(apps, editor)
        rows = Identity.objects.exclude(channel="email").order_by("channel", "handle")
        assert [row.handle for row in rows] == ["one.example:7", "two.example:7", kept.handle]
        assert rows[0].verified_at == at and {row.customer for row in rows} == {company.carol}
    assert Account.objects.count() == 2
