"""Very many conversations, by SQL: as they would be after years, a third of them active and each with three clocks."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper

from bench.mails import texts

CUSTOMERS = 20_000
TEXTS = 2_000
# Of so many conversations at most one is active, and so has clocks.
ACTIVE_ONE_IN = 3
_BULKY = (
    "helpdesk_conversation",
    "helpdesk_message",
    "helpdesk_event",
    "helpdesk_clock",
    "tickets_mailthread",
    "tickets_mailheader",
)

_PEOPLE = """
INSERT INTO helpdesk_customer (name, email, organization_id, language, timezone, notes, created_at)
SELECT 'Person ' || i, 'p' || i || '@many.example',
    (ARRAY(SELECT id FROM helpdesk_organization ORDER BY id))[i %% 8 + 1], '', '', '', now() - interval '400 days'
FROM generate_series(1, %(customers)s) i;
INSERT INTO helpdesk_identity (customer_id, channel, handle, verified_at)
SELECT id, 'email', email, now() FROM helpdesk_customer WHERE email LIKE '%%@many.example';
"""

# Multiplying by a prime spreads what depends on `i` without randomness.
_CONVERSATIONS = """
INSERT INTO helpdesk_conversation (id, channel, thread, owner, subject, status, priority, team_id, assignee_id,
    customer_id, organization_id, policy_id, opened_at, updated_at, dispatched_at, resolved_at, last_message_at,
    preview, next_due_at, last_seq, last_public_seq)
SELECT i, 'email', '', '', left(replace(t.body, E'\\n', ' '), 60), s.status,
    (ARRAY['normal', 'normal', 'high', 'low', 'normal', 'urgent'])[i %% 6 + 1], teams.ids[i %% 4 + 1],
    CASE WHEN s.status NOT IN ('new') AND i %% 3 > 0 THEN agents.ids[i %% 3 + 1] END,
    people.first + i * 7919 %% %(customers)s, person.organization_id, policies.ids[i %% 2 + 1],
    opened.at, opened.at + interval '2 hours', CASE WHEN i %% 3 > 0 THEN opened.at END,
    CASE WHEN s.status IN ('resolved', 'closed') THEN opened.at + interval '2 hours' END,
    opened.at + interval '2 hours', left(replace(t.body, E'\\n', ' '), 150),
    CASE WHEN s.status IN ('new', 'open')
        THEN now() + interval '2 days' + i * 104729 %% 864000 * interval '1 second' END,
    %(messages)s + 1, %(messages)s + 1
FROM generate_series(%(first)s::bigint, %(last)s) i
CROSS JOIN LATERAL (SELECT i * 7919 %% 100 AS place) p
CROSS JOIN LATERAL (SELECT CASE WHEN place < 12 THEN 'new' WHEN place < 34 THEN 'open' WHEN place < 40 THEN 'pending'
    WHEN place < 42 THEN 'on_hold' WHEN place < 70 THEN 'resolved' ELSE 'closed' END AS status) s
CROSS JOIN LATERAL (SELECT now() - i * 15485863 %% 31536000 * interval '1 second' AS at) opened
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM helpdesk_team) teams
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM helpdesk_user) agents
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM helpdesk_policy) policies
CROSS JOIN (SELECT min(id) AS first FROM helpdesk_customer WHERE email LIKE '%%@many.example') people
JOIN helpdesk_customer person ON person.id = people.first + i * 7919 %% %(customers)s
JOIN bench_text t ON t.n = i %% %(texts)s
"""
_MESSAGES = """
INSERT INTO helpdesk_message (conversation_id, kind, author_kind, agent_id, customer_id, text, full_text, html, at, via,
    external_id, is_automatic, is_verified, remark, delivery, attempts, error, provider_id)
SELECT c.id, CASE WHEN ours THEN 'outbound' ELSE 'inbound' END, CASE WHEN ours THEN 'agent' ELSE 'customer' END,
    CASE WHEN ours THEN agent.id END, CASE WHEN NOT ours THEN c.customer_id END, t.body, t.body,
    CASE WHEN ours THEN '' ELSE '<p>' || replace(t.body, E'\\n', '</p><p>') || '</p>' END,
    c.opened_at + m * interval '10 minutes', 'email', 'm' || c.id || '.' || m, false, true, '',
    CASE WHEN ours THEN 'sent' ELSE '' END, 0, '', ''
FROM generate_series(%(first)s::bigint, %(last)s) i
JOIN helpdesk_conversation c ON c.id = i
CROSS JOIN generate_series(1, %(messages)s) m
CROSS JOIN LATERAL (SELECT m %% 2 = 0 AS ours) o
CROSS JOIN (SELECT min(id) AS id FROM helpdesk_user) agent
JOIN bench_text t ON t.n = (i * 31 + m * 7) %% %(texts)s
"""
_EVENTS = """
INSERT INTO helpdesk_event (conversation_id, kind, at, actor_kind, actor_id, data, seq, public_seq)
SELECT c.id,
    CASE WHEN m = 0 THEN 'conversation.opened' WHEN m %% 2 = 1 THEN 'message.received' ELSE 'message.written' END,
    c.opened_at + m * interval '10 minutes', 'customer', NULL, '{"channel": "email"}', m + 1, m + 1
FROM generate_series(%(first)s::bigint, %(last)s) i
JOIN helpdesk_conversation c ON c.id = i CROSS JOIN generate_series(0, %(messages)s) m
"""
_CLOCKS = """
INSERT INTO helpdesk_clock (conversation_id, target, goal_seconds, calendar_id, calendar_version, started_at,
    running_since, used_seconds, due_at, warn_at, wake_at, pauses)
SELECT c.id, t.target, 3600, calendar.id, calendar.version, c.opened_at, c.opened_at, 0, c.next_due_at + t.later,
    c.next_due_at + t.later, c.next_due_at + t.later, '[]'
FROM helpdesk_conversation c
CROSS JOIN (VALUES ('dispatch', interval '0'), ('first_response', interval '1 hour'), ('resolution', interval '1 day'))
    AS t(target, later)
CROSS JOIN (SELECT id, version FROM helpdesk_calendar ORDER BY id LIMIT 1) calendar
WHERE c.id BETWEEN %(first)s AND %(last)s AND c.status IN ('new', 'open')
"""
_MAIL = """
INSERT INTO tickets_mailthread (conversation_id, mailbox_id, may_acknowledge, alert_key)
SELECT i, box.id, false, '' FROM generate_series(%(first)s::bigint, %(last)s) i
CROSS JOIN (SELECT min(id) AS id FROM tickets_mailbox) box;
INSERT INTO tickets_mailheader
    (message_id, conversation_id, mail_id, parent_mail_id, sender, reply_to, "to", cc, subject)
SELECT m.id, m.conversation_id, m.external_id || '@many.example', '', 'p@many.example', '', '{}', '{}', ''
FROM helpdesk_message m WHERE m.conversation_id BETWEEN %(first)s AND %(last)s
"""
_SERVICES = """
INSERT INTO helpdesk_conversation_services (conversation_id, service_id)
SELECT i, service.ids[i %% array_length(service.ids, 1) + 1]
FROM generate_series(%(first)s::bigint, %(last)s) i
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM helpdesk_service) service WHERE i %% 3 = 0
"""
_STEPS = (_CONVERSATIONS, _MESSAGES, _EVENTS, _CLOCKS, _MAIL, _SERVICES)


def grow(conversations: int, *, messages: int) -> None:
    """Let there be so many conversations in `bench`, new ones with so many messages each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM helpdesk_conversation")
        last = cursor.fetchone()[0]
        if last >= conversations:
            return
        given = {
            "first": last + 1,
            "last": conversations,
            "messages": messages,
            "texts": TEXTS,
            "customers": min(CUSTOMERS, max(conversations // 5, 50)),
        }
        _make_texts(cursor)
        with _unguarded(cursor):
            if not last:
                cursor.execute(_PEOPLE, given)
            else:
                cursor.execute("SELECT count(*) FROM helpdesk_customer WHERE email LIKE '%@many.example'")
                given["customers"] = cursor.fetchone()[0]
            for step in _STEPS:
                cursor.execute(step, given)
        cursor.execute("SELECT setval(pg_get_serial_sequence('helpdesk_conversation', 'id'), %s)", [conversations])
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _make_texts(cursor: CursorWrapper) -> None:
    cursor.execute("CREATE TABLE IF NOT EXISTS bench_text (n int PRIMARY KEY, body text)")
    cursor.execute("SELECT count(*) FROM bench_text")
    if not cursor.fetchone()[0]:
        cursor.execute(
            "INSERT INTO bench_text SELECT place - 1, body FROM unnest(%s::text[]) WITH ORDINALITY AS t(body, place)",
            [texts(TEXTS, 60)],
        )


@contextmanager
def _unguarded(cursor: CursorWrapper) -> Iterator[None]:
    """Without triggers and foreign keys, and with the indexes built at the end: minutes instead of an hour."""
    cursor.execute(
        """SELECT indexdef, format('DROP INDEX %%I', indexname) FROM pg_indexes
           WHERE tablename = ANY(%s) AND indexdef NOT LIKE 'CREATE UNIQUE%%'
             AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)""",
        [list(_BULKY)],
    )
    indexes = cursor.fetchall()
    cursor.execute("SET session_replication_role = replica")
    cursor.execute("SET synchronous_commit = off")
    cursor.execute("SET maintenance_work_mem = '512MB'")
    for _, drop in indexes:
        cursor.execute(drop)
    try:
        yield
    finally:
        for definition, _ in indexes:
            cursor.execute(definition)
        for setting in ("session_replication_role", "synchronous_commit", "maintenance_work_mem"):
            cursor.execute(f"RESET {setting}")
