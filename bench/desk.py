"""queue, ticket, sweep: what an agent waits for, and what a look at all clocks costs, with very many conversations."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from bench import ground, volume
from bench.peers import django_helpdesk
from bench.rounds import Contender, Row, Sample, compare, percentile
from bench.sizes import Sizes
from helpdesk import garbage
from helpdesk.customers.models import User
from helpdesk.sla import sweep

QUEUE_AIM, TICKET_AIM = 12.0, 14.0
VIEWS = ("reply", "dispatch", "mine", "pending", "resolved", "all")
# Long before everything else in the database is due.
PAST = datetime(2020, 1, 6, 12, tzinfo=UTC)
DUE = (0, 100, 1000)
SWEEPS = 7

_BARE_QUEUE = """
SELECT c.id, c.subject, c.preview, c.channel, c.status, c.priority, c.next_due_at, c.updated_at, p.name, p.email,
    o.name, plan.name, a.name, t.name
FROM helpdesk_conversation c JOIN helpdesk_customer p ON p.id = c.customer_id
LEFT JOIN helpdesk_organization o ON o.id = c.organization_id LEFT JOIN helpdesk_plan plan ON plan.id = o.plan_id
LEFT JOIN helpdesk_user a ON a.id = c.assignee_id LEFT JOIN helpdesk_team t ON t.id = c.team_id
WHERE c.status IN ('new', 'open') ORDER BY c.next_due_at ASC NULLS LAST, c.id LIMIT 51
"""
_BARE_TICKET = (
    """SELECT * FROM helpdesk_conversation c JOIN helpdesk_customer p ON p.id = c.customer_id WHERE c.id = %(id)s""",
    """SELECT id, kind, text, at FROM helpdesk_message WHERE conversation_id = %(id)s ORDER BY id DESC LIMIT 50""",
    """SELECT kind, at, data FROM helpdesk_event WHERE conversation_id = %(id)s ORDER BY seq""",
    """SELECT target, due_at, met_at FROM helpdesk_clock WHERE conversation_id = %(id)s""",
)
_BARE_SWEEP = """
UPDATE helpdesk_clock SET wake_at = NULL, breached_at = due_at WHERE id IN (
    SELECT id FROM helpdesk_clock WHERE wake_at < %s ORDER BY wake_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    small = sizes.of(100_000, 10_000)
    large = small if sizes.rows else sizes.of(1_000_000, 100_000)
    requests = 30 if sizes.quick or sizes.rows else 200
    peer = django_helpdesk.installed(sizes)
    if peer:
        peer.fill(small, 5)
    volume.grow(small, messages=5)
    yield from _pages(small, requests, peer)
    yield from _sweeps()
    if large > small:
        # Fewer messages each: what a page reads of a conversation does not depend on how many others there are.
        volume.grow(large, messages=2)
        yield from _pages(large, requests, None)
        yield from _sweeps()


def _pages(rows: int, requests: int, peer: django_helpdesk.Peer | None) -> Iterator[Row]:
    # As the web processes do when they start.
    garbage.settle()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(email="ada@demo.example"))
    dice = random.Random(rows)
    queue, some = reverse("tickets:queue"), max(requests // 10, 5)

    def page(path: Callable[[int], str]) -> Contender:
        def go(number: int) -> None:
            response = client.get(path(number))
            assert response.status_code == 200, f"{path(number)} answered {response.status_code}"

        return Contender(lambda _number: _latency(go, requests))

    def bare(*statements: str) -> Contender:
        def measured(_number: int) -> Sample:
            with closing(ground.connect()) as bare_connection, bare_connection.cursor() as cursor:

                def go(_number: int) -> None:
                    for statement in statements:
                        cursor.execute(statement, {"id": dice.randint(1, rows)})
                        cursor.fetchall()

                return _latency(go, requests)

        return Contender(measured)

    def theirs(name: str) -> Contender | None:
        return Contender(lambda _number: peer.request(name, some)) if peer else None

    yield Row(
        f"queue of 50, {rows:,}",
        "ms",
        compare(
            {
                "ours": page(lambda number: f"{queue}?view={VIEWS[number % len(VIEWS)]}"),
                "bare": bare(_BARE_QUEUE),
                "peer": theirs("list"),
            }
        ),
        QUEUE_AIM,
    )
    yield Row(
        f"ticket, {rows:,}",
        "ms",
        compare(
            {
                "ours": page(lambda _number: reverse("tickets:conversation", args=[dice.randint(1, rows)])),
                "bare": bare(*_BARE_TICKET),
                "peer": theirs("detail"),
            }
        ),
        TICKET_AIM,
    )


def _latency(go: Callable[[int], object], times: int) -> Sample:
    for number in range(len(VIEWS)):
        go(number)
    taken = []
    for number in range(times):
        began = time.perf_counter()
        go(number)
        taken.append((time.perf_counter() - began) * 1000)
    return Sample(percentile(taken, 0.5), times + len(VIEWS), p95=percentile(taken, 0.95))


def _sweeps() -> Iterator[Row]:
    """Milliseconds of one sweep, with some of very many clocks due."""
    opened = _one("SELECT count(*) FROM helpdesk_clock WHERE met_at IS NULL AND cancelled_at IS NULL")
    for due in DUE:
        if due * SWEEPS * 2 > opened:
            continue
        figures = compare(
            {"ours": Contender(*_swept(due, _sweep)), "bare": Contender(*_swept(due, _bare_sweep))}, rounds=SWEEPS
        )
        yield Row(f"sweep, {due:,} due of {opened:,}", "ms", figures)


def _swept(due: int, sweeping: Callable[[int], int]) -> tuple[Callable[[int], Sample], Callable[[int], None]]:
    def measured(_number: int) -> Sample:
        began = time.perf_counter()
        found = sweeping(due)
        taken = (time.perf_counter() - began) * 1000
        assert found == due, f"{found} of {due} clocks fired"
        return Sample(taken, 1)

    return measured, lambda _number: _make_due(due)


def _sweep(_due: int) -> int:
    return sweep.sweep(PAST)


def _bare_sweep(due: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_BARE_SWEEP, [PAST, max(due, 1)])
        return len(cursor.fetchall())


def _make_due(count: int) -> None:
    """Let the next so many clocks that wait be long overdue."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE helpdesk_clock SET wake_at = %(past)s, due_at = %(past)s, warn_at = %(past)s WHERE id IN (
                   SELECT id FROM helpdesk_clock WHERE wake_at > now() ORDER BY id LIMIT %(count)s)""",
            {"past": datetime(2020, 1, 6, 11, tzinfo=UTC), "count": count},
        )


def _one(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
