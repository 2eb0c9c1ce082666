"""Prepared statements: planned once a connection, with the same answers as the plain SQL."""

import pytest
from django.db import ProgrammingError, connection, transaction
from pytest_django import Settings

from helpdesk import prepared
from helpdesk.conversations import rows
from helpdesk.prepared import ALL, Prepared
from helpdesk.prepared import _prepared as prepared_by_connection

_BY_PLACE = Prepared("test_by_place", "SELECT %s::int + %s::int AS sum, 'all' || '%%' AS share")
_BY_NAME = Prepared("test_by_name", "SELECT %(a)s::text || %(b)s || %(a)s AS joined")
_MANY = Prepared("test_many", "SELECT n FROM unnest(%s::bigint[]) AS n ORDER BY n")
_NONE = Prepared("test_none", "SELECT 1 WHERE %s::boolean")
_WRITES = Prepared("test_writes", "UPDATE helpdesk_tag SET name = name || %s")
_WRONG = Prepared("test_wrong", "SELECT nothing FROM nowhere WHERE id = %s")

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["prepared", "plain"])
def is_prepared(request: pytest.FixtureRequest, settings: Settings) -> bool:
    settings.PREPARED_STATEMENTS = request.param
    return bool(request.param)


def _known() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'test\\_%%' AND from_sql")
        return {name for (name,) in cursor.fetchall()}


def test_answers(is_prepared: bool) -> None:
    for _ in range(8):  # past the five with a plan of their own
        assert _BY_PLACE.row([1, 2]) == (3, "all%")
        assert _BY_PLACE.mapping([4, 5]) == {"sum": 9, "share": "all%"}
        assert _BY_NAME.row({"b": "o'", "a": "%s"}) == ("%so'%s",)
        assert _MANY.rows([[3, 1, 2]]) == [(1,), (2,), (3,)]
        assert _MANY.rows([[]]) == []
        assert _NONE.row([False]) is None
        assert _NONE.mapping([False]) is None
        assert _WRITES.run(["x"]) == 0
    assert ("test_by_place" in _known()) or not is_prepared


def test_it_is_prepared_once_and_survives_a_rollback() -> None:
    with transaction.atomic():
        assert _MANY.rows([[1]]) == [(1,)]
        transaction.set_rollback(True)
    assert "test_many" in _known()
    with pytest.raises(ProgrammingError), transaction.atomic():
        _WRONG.rows([1])
    assert _MANY.rows([[2]]) == [(2,)], "errors are Django's, and the next statement works"


def test_its_plan_is_made_anew_after_some_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared_by_connection.pop(connection.connection, None)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    monkeypatch.setattr(prepared, "USES", 3)
    for _ in range(7):
        assert _MANY.rows([[1]]) == [(1,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE name = 'test_many'")
        assert cursor.fetchone() == (1,), "the seventh use is the first of the third plan"


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_prepares_anew() -> None:
    assert _MANY.rows([[1]]) == [(1,)]
    connection.close()
    assert "test_many" not in _known()
    assert _MANY.rows([[1]]) == [(1,)]
    assert "test_many" in _known()


def test_postgresql_knows_the_types_of_every_statement() -> None:
    rows.conversation_row(1)  # this one is made on first use
    ours = [statement for name, statement in ALL.items() if not name.startswith("test_")]
    known = {"append_message", "first_rows", "record_events", "beat", "settle_mail", "conversation_row"}
    assert known <= {statement.name for statement in ours}
    for statement in ours:
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
            cursor.execute(statement.prepare)
            cursor.execute("DEALLOCATE ALL")
    prepared_by_connection.pop(connection.connection)


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="test_many already"):
        Prepared("test_many", "SELECT 1")
