"""What waits is claimed: the oldest of each person, and cheaply also where a flood came before any statistics."""

import json
from datetime import datetime, timedelta

import pytest
from django.db import connection

from social import filing
from social.models import Account, Arrival
from tests.fixtures.company import Company
from tests.social.talk import account_on

pytestmark = pytest.mark.django_db
WAITING, PEOPLE = 1_000, 100


@pytest.fixture
def account(company: Company, at: datetime) -> Account:
    """Ten happenings of each of a hundred people, the latest first."""
    account = account_on("x", at)
    Arrival.objects.bulk_create(
        Arrival(
            account=account,
            key=f"said:{number}",
            subject=f"p{number % PEOPLE}",
            happened_at=at - timedelta(seconds=number),
            received_at=at,
            body={},
            due_at=at,
        )
        for number in range(WAITING)
    )
    return account


def test_a_claim_takes_the_oldest_of_each_person_until_it_is_settled(account: Account, at: datetime) -> None:
    first, second, third = filing._claim(at), filing._claim(at), filing._claim(at)
    claimed = [arrival.key for arrival in first + second]
    assert claimed == [f"said:{number}" for number in range(WAITING - 1, WAITING - PEOPLE - 1, -1)]
    assert third == [], "the others wait for these"
    Arrival.objects.filter(key=claimed[0]).update(state=Arrival.State.FILED, due_at=None)
    assert [arrival.subject for arrival in filing._claim(at)] == [first[0].subject]


def test_a_claim_reads_what_waits_once(account: Account, at: datetime) -> None:
    with connection.cursor() as cursor:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {filing._CLAIM._sql}"
        cursor.execute(explain, {"at": at, "lease": at, "limit": filing.BATCH})
        (found,) = cursor.fetchone()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 10 * WAITING, plan
