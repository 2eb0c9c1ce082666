"""The statements a helpdesk cannot do without, on plain tables with keys and full-text search: the floor.

They check nothing, thread nothing, promise nothing: ours can only approach them.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from bench import ground

_TABLES = """
CREATE SCHEMA bare;
CREATE TABLE bare.mail (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text UNIQUE, sender text, raw bytea);
CREATE TABLE bare.ticket (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text, sender text,
    status text, opened_at timestamptz);
CREATE TABLE bare.message (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id bigint REFERENCES bare.ticket, body text, at timestamptz,
    search tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED);
CREATE INDEX ON bare.message (ticket_id, id);
CREATE INDEX ON bare.message USING gin (search);
CREATE TABLE bare.event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id bigint REFERENCES bare.ticket, kind text, data jsonb, at timestamptz);
CREATE INDEX ON bare.event (ticket_id, id);
CREATE TABLE bare.clock (id bigint PRIMARY KEY, ticket_id bigint, wake_at timestamptz, breached_at timestamptz);
CREATE INDEX ON bare.clock (wake_at) WHERE wake_at IS NOT NULL;
CREATE TABLE bare.page (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text UNIQUE, due_at timestamptz,
    sent_at timestamptz);
CREATE INDEX ON bare.page (due_at) WHERE sent_at IS NULL;
"""

ACCEPT = "INSERT INTO bare.mail (key, sender, raw) VALUES (%s, %s, %s)"
OPEN = """
WITH ticket AS (
    INSERT INTO bare.ticket (subject, sender, status, opened_at) VALUES (%s, %s, 'new', now()) RETURNING id
), message AS (
    INSERT INTO bare.message (ticket_id, body, at) SELECT id, %s, now() FROM ticket RETURNING id
)
INSERT INTO bare.event (ticket_id, kind, data, at) SELECT ticket.id, 'opened', '{"by": "mail"}', now() FROM ticket
"""
PAGE = """
WITH due AS (
    UPDATE bare.clock SET wake_at = NULL, breached_at = now() WHERE id IN (
        SELECT id FROM bare.clock WHERE wake_at <= now() ORDER BY wake_at LIMIT 100 FOR UPDATE SKIP LOCKED)
    RETURNING id
)
INSERT INTO bare.page (key, due_at) SELECT 'clock:' || id, now() FROM due
"""
SEND = """
UPDATE bare.page SET sent_at = now() WHERE id IN (
    SELECT id FROM bare.page WHERE sent_at IS NULL ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED)
"""


def create_tables() -> None:
    """Make the plain tables in `bench`."""
    execute(_TABLES)


def execute(statement: str, parameters: Sequence[Any] = ()) -> None:
    """One statement, committed."""
    with closing(ground.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def rate(statement: str, rows: Sequence[Sequence[Any]], connections: int = 1) -> float:
    """Statements a second, each its own commit, over so many connections."""
    return run_together(
        [lambda share=rows[first::connections]: _execute_each(statement, share) for first in range(connections)],
        len(rows),
    )


def run_together(jobs: Sequence[Callable[[], object]], operations: int) -> float:
    """Operations a second of jobs that run side by side in threads. What one raises is raised here."""
    with ThreadPoolExecutor(len(jobs)) as threads:
        began = time.perf_counter()
        for done in [threads.submit(job) for job in jobs]:
            done.result()
        return operations / (time.perf_counter() - began)


def execute_all(groups: Sequence[Sequence[str]]) -> None:
    """Statements without parameters on one connection, each its own commit."""
    with closing(ground.connect()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for group in groups:
                for statement in group:
                    cursor.execute(statement)


def _execute_each(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    with closing(ground.connect()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for row in rows:
                cursor.execute(statement, row)
