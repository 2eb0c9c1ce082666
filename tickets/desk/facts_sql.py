"""The statement behind `tickets.desk.facts`: one, since eight took longer, and prepared, since planning it costs more
than running it.
"""

from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations import incidents, visibility
from helpdesk.conversations.models import Conversation, ConversationLink, CustomField, Tag
from helpdesk.customers.agents import MOST_LISTED
from helpdesk.customers.models import Customer, Identity, Organization, Plan, Service, Team, User
from helpdesk.oncall.models import Page
from helpdesk.prepared import Prepared
from helpdesk.sla.models import Calendar, Clock
from tickets.desk.models import BlockedSender, ChecklistItem, Draft, Mention, TimeEntry
from tickets.models import Mailbox, MailThread

EARLIER = 5
MOST_PAGES = 10
MOST_SERVICES = 200
MOST_LINKS = 50
MOST_TIMES = 5
_CONVERSATION = Conversation._meta.db_table
_LINK = ConversationLink._meta.db_table
_USER = User._meta.db_table
_HAS_SERVICE = Conversation.services.through._meta.db_table
_FOLLOWS = Conversation.followers.through._meta.db_table


def _listed(select: str) -> str:
    return f"(SELECT json_agg(found) FROM ({select}) AS found)"


# Alerts that are open are few and have an index of their own: found first (`OFFSET 0`), whatever the planner believes
# of their number; joined the other way round it read a million threads.
_TROUBLED = f"""service.id IN (
    SELECT has.service_id
    FROM (SELECT conversation_id FROM {MailThread._meta.db_table} WHERE alert_key <> '' OFFSET 0) AS alert
    JOIN {_HAS_SERVICE} AS has ON has.conversation_id = alert.conversation_id)"""
_RELATED = f"""
    SELECT CASE WHEN link.kind = 'parent' THEN CASE WHEN link.other_id = c.id THEN 'parent' ELSE 'child' END
                WHEN link.kind = 'split' THEN CASE WHEN link.other_id = c.id THEN 'split_from' ELSE 'split_into' END
                ELSE 'related' END AS relation, far.id, far.subject, far.status
    FROM {_LINK} AS link
    JOIN {_CONVERSATION} AS far ON far.id = CASE WHEN link.other_id = c.id THEN link.conversation_id
                                                 ELSE link.other_id END
    WHERE link.id IN (SELECT id FROM {_LINK} WHERE conversation_id = c.id
                      UNION SELECT id FROM {_LINK} WHERE other_id = c.id) AND {{of_far}}
    UNION ALL
    SELECT 'merged', far.id, far.subject, far.status FROM {_CONVERSATION} AS far
    WHERE far.merged_into_id = c.id AND {{of_far}}
    UNION ALL
    SELECT 'next', far.id, far.subject, far.status FROM {_CONVERSATION} AS far
    WHERE far.previous_id = c.id AND {{of_far}}
    ORDER BY 1, 2 LIMIT {MOST_LINKS}"""
_LISTS = {
    "services": f"""
        SELECT service.id, service.name, service.kind, {_TROUBLED} AS is_troubled FROM {_HAS_SERVICE} AS has
        JOIN {Service._meta.db_table} AS service ON service.id = has.service_id
        WHERE has.conversation_id = c.id ORDER BY service.name""",
    "clocks": f"""
        SELECT DISTINCT ON (target) id, target, goal_seconds, due_at, warn_at, paused_at, met_at, cancelled_at,
            breached_at
        FROM {Clock._meta.db_table} WHERE conversation_id = c.id ORDER BY target, id DESC""",
    "pages": f"""
        SELECT page.id, state, urgency, reasons, triggered_at, person.name AS acknowledged_by
        FROM {Page._meta.db_table} AS page LEFT JOIN {_USER} AS person ON person.id = acknowledged_by_id
        WHERE conversation_id = c.id ORDER BY triggered_at DESC, page.id DESC LIMIT {MOST_PAGES}""",
    "earlier": f"""
        SELECT far.id, far.subject, far.status FROM {_CONVERSATION} AS far
        WHERE far.customer_id = c.customer_id AND far.id <> c.id AND {{of_far}}
        ORDER BY far.updated_at DESC LIMIT {EARLIER}""",
    "identities": f"""
        SELECT channel, handle, verified_at IS NOT NULL AS is_verified FROM {Identity._meta.db_table}
        WHERE customer_id = c.customer_id ORDER BY id LIMIT 20""",
    "followers": f"""
        SELECT person.id, coalesce(nullif(person.email, ''), nullif(person.name, ''), '#' || person.id) AS name
        FROM {_FOLLOWS} AS follows JOIN {Customer._meta.db_table} AS person ON person.id = follows.customer_id
        WHERE follows.conversation_id = c.id ORDER BY follows.id""",
    "links": _RELATED,
    "checklist": f"""
        SELECT item.id, item.text, item.done_at, person.name AS done_by FROM {ChecklistItem._meta.db_table} AS item
        LEFT JOIN {_USER} AS person ON person.id = item.done_by_id
        WHERE item.conversation_id = c.id ORDER BY item.position, item.id""",
    "times": f"""
        SELECT entry.id, entry.minutes, entry.note, entry.at, entry.user_id, person.name
        FROM {TimeEntry._meta.db_table} AS entry JOIN {_USER} AS person ON person.id = entry.user_id
        WHERE entry.conversation_id = c.id ORDER BY entry.id DESC LIMIT {MOST_TIMES}""",
    "drafts": f"""
        SELECT draft.user_id, person.name, draft.kind, draft.version, draft.updated_at,
            CASE WHEN draft.user_id = %(user)s::bigint THEN draft.text ELSE '' END AS text
        FROM {Draft._meta.db_table} AS draft JOIN {_USER} AS person ON person.id = draft.user_id
        WHERE draft.conversation_id = c.id ORDER BY draft.updated_at DESC LIMIT 20""",
    "fields": f"""
        SELECT key, name, kind, choices, is_required FROM {CustomField._meta.db_table}
        WHERE is_active ORDER BY position, name, id""",
    "blocked": f"""
        SELECT handle FROM {BlockedSender._meta.db_table}
        WHERE handle IN (lower(customer.email), '@' || lower(split_part(customer.email, '@', 2)))""",
}
# What another room knows of it, as JSON of one row.
_INCIDENT = incidents.beside()
_BESIDE = ",\n    ".join(
    f"({import_string(dotted)}) AS {name}" for name, dotted in settings.BESIDE_CONVERSATIONS.items()
)
_NAMED_LISTS = ",\n    ".join(f"{_listed(select)} AS {name}" for name, select in _LISTS.items())
FACTS: Final = f"""
SELECT c.id, c.subject, c.channel, c.status, c.priority, c.team_id, c.assignee_id, c.customer_id, c.organization_id,
    c.last_seq, c.merged_into_id, c.previous_id, c.snoozed_until, c.is_spam, c.minutes_spent, c.custom::text AS custom,
    assignee.name AS assignee,
    coalesce(nullif(customer.name, ''), nullif(customer.email, ''), '#' || customer.id) AS customer, customer.email,
    customer.timezone, customer.language, customer.notes,
    organization.name AS organization, organization.notes AS organization_notes, organization.customer_since,
    plan.name AS plan, plan.realtime, plan.realtime_days, plan.realtime_channels, hours.name AS hours,
    coalesce(held.address, (SELECT address FROM {Mailbox._meta.db_table} ORDER BY is_default DESC, id LIMIT 1))
        AS mailbox,
    EXISTS (SELECT FROM {Mention._meta.db_table} AS mention WHERE mention.conversation_id = c.id
            AND mention.user_id = %(user)s::bigint AND mention.seen_at IS NULL) AS is_mentioned,
    coalesce((SELECT array_agg(tag.name ORDER BY tag.name) FROM {Conversation.tags.through._meta.db_table} AS has
        JOIN {Tag._meta.db_table} AS tag ON tag.id = has.tag_id WHERE has.conversation_id = c.id), '{{{{}}}}') AS tags,
    ({_INCIDENT}) AS incident,
    {_BESIDE},
    {_NAMED_LISTS}
FROM {_CONVERSATION} AS c
JOIN {Customer._meta.db_table} AS customer ON customer.id = c.customer_id
LEFT JOIN {_USER} AS assignee ON assignee.id = c.assignee_id
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} AS plan ON plan.id = organization.plan_id
LEFT JOIN {Calendar._meta.db_table} AS hours ON hours.id = plan.support_hours_id
LEFT JOIN {MailThread._meta.db_table} AS thread ON thread.conversation_id = c.id
LEFT JOIN {Mailbox._meta.db_table} AS held ON held.id = thread.mailbox_id
WHERE c.id = %(id)s::bigint AND {{of_c}}
"""


def _for(role: str, name: str) -> Prepared:
    reader = User(role=role)
    seen = {alias: visibility.condition(reader, f"{alias}.team_id") for alias in ("c", "far")}
    return Prepared(name, FACTS.format(of_c=seen["c"], of_far=seen["far"]))


OF_ADMIN: Final = _for(User.Role.ADMIN, "facts_for_admin")
OF_AGENT: Final = _for(User.Role.AGENT, "facts_for_agent")
CHOICES: Final = Prepared(
    "choices_beside",
    f"""
(SELECT 'agent', id, name, is_active FROM {_USER}
    ORDER BY id IS DISTINCT FROM %s::bigint, name LIMIT {MOST_LISTED} + 1)
UNION ALL SELECT 'team', id, name, true FROM {Team._meta.db_table}
UNION ALL (SELECT 'service', id, name, true FROM {Service._meta.db_table}
    WHERE id IN (SELECT service_id FROM {_HAS_SERVICE} WHERE conversation_id = %s::bigint
                 UNION SELECT service_id FROM {Service.organizations.through._meta.db_table}
                 WHERE organization_id = %s::bigint)
    -- Those it has already never fall behind the limit: what a form does not show it takes away.
    ORDER BY id NOT IN (SELECT service_id FROM {_HAS_SERVICE} WHERE conversation_id = %s::bigint), name
    LIMIT {MOST_SERVICES})
""",
)
