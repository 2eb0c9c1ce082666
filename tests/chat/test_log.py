"""Readers of the log lose nothing, in whatever order transactions draw their ids and commit."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from django.db import IntegrityError, connection
from django.utils.timezone import now
from psycopg2.extensions import connection as Connection

from chat import log
from helpdesk.events import broadcast
from helpdesk.events.models import Event
from tests.chat.agents import Desks
from tests.fixtures.company import Company
from tests.fixtures.desk import write

pytestmark = pytest.mark.django_db(transaction=True)

_INSERT = f"""
INSERT INTO {Event._meta.db_table} (conversation_id, kind, at, actor_kind, data)
VALUES (%s, 'conversation.renamed', %s, 'system', '{{}}') RETURNING id
"""


@pytest.fixture
def numbers(company: Company) -> tuple[int, int]:
    """Two conversations, each for one of the connections: numbering locks them."""
    return write(company.carol, now()).pk, write(company.gil, now()).pk


@pytest.fixture
def two(numbers: tuple[int, int]) -> Iterator[tuple[Connection, Connection]]:
    """Two connections, each in a transaction that has begun to write, in this order."""
    with closing(psycopg2.connect(**_address())) as first, closing(psycopg2.connect(**_address())) as second:
        for one in (first, second):
            with one.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
        yield first, second


def _address() -> dict[str, Any]:
    given = connection.get_connection_params()
    return {name: given[name] for name in ("dbname", "user", "password", "host", "port") if given.get(name)}


def _record(one: Connection, conversation: int) -> int:
    with one.cursor() as cursor:
        cursor.execute(_INSERT, [conversation, now()])
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _ids(position: log.Position) -> list[int]:
    return [one.id for one in log.after(position, 100)]


def test_a_lower_id_that_commits_later_is_read(numbers: tuple[int, int], two: tuple[Connection, Connection]) -> None:
    here, there = numbers
    first, second = two
    start = log.head()
    low = _record(second, here)
    high = _record(first, there)
    first.commit()

    assert low < high
    read = log.after(start, 100)
    assert [one.id for one in read] == [high]
    second.commit()
    assert not Event.objects.filter(pk__gt=high).exists(), "a reader by ids alone would have lost it"
    assert _ids(read[-1].position) == [low]


def test_what_commits_early_waits_for_an_older_transaction(
    numbers: tuple[int, int], two: tuple[Connection, Connection]
) -> None:
    here, there = numbers
    first, second = two
    start = log.head()
    low = _record(first, here)
    high = _record(second, there)
    second.commit()

    assert _ids(start) == []
    assert log.something_waits()
    first.commit()
    assert _ids(start) == [low, high]
    assert not log.something_waits()


def test_what_was_rolled_back_holds_up_nobody(numbers: tuple[int, int], two: tuple[Connection, Connection]) -> None:
    here, there = numbers
    first, second = two
    start = log.head()
    _record(first, here)
    high = _record(second, there)
    second.commit()
    first.rollback()
    assert _ids(start) == [high]


def test_a_socket_is_told_both(
    desks: Desks, company: Company, numbers: tuple[int, int], two: tuple[Connection, Connection]
) -> None:
    here, there = numbers
    grace = desks.of(company.grace)
    grace.hello()
    first, second = two
    low = _record(second, here)
    high = _record(first, there)
    first.commit()
    broadcast.event_recorded(high)
    assert grace.event("conversation.renamed")["id"] == high
    second.commit()
    broadcast.event_recorded(low)
    assert grace.event("conversation.renamed")["id"] == low


def test_positions_are_found_again(company: Company) -> None:
    write(company.carol, now())
    head = log.head()
    assert log.position_of(head.id) == head
    assert log.position_of(head.id + 1000) is None


def test_events_restored_from_another_cluster_do_not_come_up_again(company: Company) -> None:
    write(company.carol, now())
    before = log.head()
    with connection.cursor() as cursor:
        # As pg_restore leaves it: the trigger that numbers is made after the rows.
        cursor.execute(f"ALTER TABLE {Event._meta.db_table} DISABLE TRIGGER number_event")
        cursor.execute(
            f"INSERT INTO {Event._meta.db_table} (kind, at, actor_kind, data, transaction_id) "
            "VALUES ('calendar.changed', now(), 'system', '{}', 2::bigint ^ 40)"
        )
        cursor.execute(f"ALTER TABLE {Event._meta.db_table} ENABLE TRIGGER number_event")
    assert not log.something_waits()
    assert log.head() == before

    assert log.forget_positions_from_elsewhere()
    assert not log.forget_positions_from_elsewhere()
    assert not Event.objects.filter(transaction_id__gte=2**40).exists()
    with pytest.raises(IntegrityError, match="append-only"):
        Event.objects.update(kind="changed")
