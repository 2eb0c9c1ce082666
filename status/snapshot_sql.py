"""All that is shown of the status page as one statement, so as it was at one moment: JSON, written by PostgreSQL."""

from typing import Final

from helpdesk.customers.company import Company
from status.models import (
    AffectedComponent,
    Component,
    ComponentSpan,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    StatusPage,
)

_PAGE: Final = StatusPage._meta.db_table
_COMPONENT: Final = Component._meta.db_table
_SPAN: Final = ComponentSpan._meta.db_table
_INCIDENT: Final = Incident._meta.db_table
_STATE: Final = IncidentComponent._meta.db_table
_UPDATE: Final = IncidentUpdate._meta.db_table
_CHANGE: Final = AffectedComponent._meta.db_table
_COMPANY: Final = Company._meta.db_table

# Private components, and what lies in private groups, exist for those alone who may see them (%(seen)s). An incident
# that affects nothing but these does not exist for the others either; where nothing is private nothing is asked of it.
_VISIBLE: Final = f"""
shown AS NOT MATERIALIZED (
    SELECT c.*, g.public_id AS group_public_id FROM {_COMPONENT} c LEFT JOIN {_COMPONENT} g ON g.id = c.group_id
    WHERE NOT (c.is_private OR coalesce(g.is_private, false)) OR c.id = ANY(%(seen)s::bigint[])
), visible AS NOT MATERIALIZED (
    SELECT i.* FROM {_INCIDENT} i
    WHERE i.published_at IS NOT NULL
      AND (NOT EXISTS (SELECT FROM {_COMPONENT} WHERE is_private)
           OR NOT EXISTS (SELECT FROM {_STATE} s WHERE s.incident_id = i.id)
           OR EXISTS (SELECT FROM {_STATE} s JOIN shown ON shown.id = s.component_id WHERE s.incident_id = i.id))
)"""

_CHANGES: Final = f"""(
    SELECT coalesce(json_agg(json_build_array(shown.public_id, shown.name, a.old_state, a.new_state)
                             ORDER BY shown.position, shown.id), '[]')
    FROM {_CHANGE} a JOIN shown ON shown.id = a.component_id WHERE a.update_id = u.id)"""
_NONE: Final = "'[]'::json"


def _incidents(changes: str = _CHANGES) -> str:
    """Those that were `picked`, newest first, each with its newest updates."""
    return f"""
SELECT i.public_id, i.kind, i.name, i.status, coalesce(nullif(i.impact_override, ''), i.impact) AS impact,
       i.started_at, i.monitoring_at, i.resolved_at, i.scheduled_for, i.scheduled_until, i.is_automatic,
       i.remind_minutes, i.is_backfilled, i.published_at, i.created_at, i.updated_at,
       (SELECT count(*) FROM {_UPDATE} u
        WHERE u.incident_id = i.id AND u.published_at IS NOT NULL AND NOT u.is_reminder) AS update_count,
       (SELECT coalesce(json_agg(json_build_array(shown.public_id, s.state) ORDER BY shown.position, shown.id), '[]')
        FROM {_STATE} s JOIN shown ON shown.id = s.component_id WHERE s.incident_id = i.id) AS states,
       (SELECT coalesce(json_agg(told ORDER BY told.display_at DESC, told.id DESC), '[]') FROM (
            SELECT u.id, u.public_id, u.status, u.body, u.tells, u.short_text, u.display_at, u.created_at, u.updated_at,
                   {changes} AS changes
            FROM {_UPDATE} u WHERE u.incident_id = i.id AND u.published_at IS NOT NULL AND NOT u.is_reminder
            ORDER BY u.display_at DESC, u.id DESC LIMIT %(updates)s) told) AS updates
FROM picked i ORDER BY i.started_at DESC, i.id DESC"""


_OPEN: Final = "SELECT * FROM visible WHERE resolved_at IS NULL ORDER BY kind, id DESC LIMIT %(open)s"
_RECENT: Final = f"""({_OPEN})
    UNION (SELECT * FROM visible WHERE kind = 'incident' AND started_at >= %(began)s::timestamptz
           ORDER BY started_at DESC, id DESC LIMIT %(recent)s)
    UNION (SELECT * FROM visible WHERE kind = 'maintenance' AND started_at >= %(began)s::timestamptz
           ORDER BY started_at DESC, id DESC LIMIT %(recent)s)"""
_SPANS: Final = f"""(
    SELECT coalesce(json_agg(json_build_array(s.state, s.since, s.until) ORDER BY s.since), '[]') FROM (
        SELECT state, since, until FROM {_SPAN} s
        WHERE s.component_id = shown.id AND s.state <> 'operational'
            AND (s.until IS NULL OR s.until > %(since)s::timestamptz)
        ORDER BY s.since DESC LIMIT %(spans)s) s)"""
_FIRST: Final = """(SELECT min(started_at) FROM (
        (SELECT started_at FROM visible WHERE kind = 'incident' ORDER BY started_at, id LIMIT 1)
        UNION ALL (SELECT started_at FROM visible WHERE kind = 'maintenance' ORDER BY started_at, id LIMIT 1)) first)"""


def _shown(*, picked: str = "", first: str = "NULL", spans: str = _NONE, changes: str = _CHANGES) -> str:
    """The statement: only what is asked for is planned and read at all."""
    also = f", picked AS ({picked})" if picked else ""
    incidents = f"(SELECT coalesce(json_agg(i), '[]') FROM ({_incidents(changes)}) i)" if picked else _NONE
    return f"""
WITH {_VISIBLE}{also}
SELECT json_build_object(
    'page', (SELECT row_to_json(p) FROM (
        SELECT public_id, timezone, about, version, changed_at FROM {_PAGE} WHERE id = 1) p),
    'company', (SELECT row_to_json(c) FROM (SELECT name, logo_text, languages FROM {_COMPANY} WHERE id = 1) c),
    'first_at', {first},
    'components', (SELECT coalesce(json_agg(c ORDER BY c.position, c.name, c.id), '[]') FROM (
        SELECT shown.id, shown.public_id, shown.group_public_id, shown.name, shown.description, shown.is_group,
               shown.position, shown.state, shown.shows_uptime, shown.only_if_degraded, shown.is_private,
               shown.started_on, shown.created_at, shown.updated_at, {spans} AS spans
        FROM shown) c),
    'incidents', {incidents}
)::text"""


# Everything; what the front page has; what has been; what goes on and is planned; the components alone.
WHOLE: Final = _shown(picked=_RECENT, first=_FIRST, spans=_SPANS)
FRONT: Final = _shown(picked=_RECENT, spans=_SPANS, changes=_NONE)
PAST: Final = _shown(picked=_RECENT, first=_FIRST)
GOING_ON: Final = _shown(picked=_OPEN)
PARTS: Final = _shown()

# What has gone from the recent ones: those that began within a time, or a single one.
OLDER: Final = f"""
WITH {_VISIBLE}, picked AS (
    SELECT * FROM visible WHERE started_at >= %(begin)s::timestamptz AND started_at < %(end)s::timestamptz
    ORDER BY started_at DESC, id DESC LIMIT %(recent)s
)
SELECT (SELECT coalesce(json_agg(i), '[]') FROM ({_incidents()}) i)::text"""
ONE: Final = f"""
WITH {_VISIBLE}, picked AS (SELECT * FROM visible WHERE public_id = %(public_id)s::text)
SELECT (SELECT coalesce(json_agg(i), '[]') FROM ({_incidents()}) i)::text"""
INDEX: Final = f"""
WITH {_VISIBLE}
SELECT i.public_id, i.started_at,
       greatest(i.updated_at, (SELECT max(u.updated_at) FROM {_UPDATE} u WHERE u.incident_id = i.id))
FROM visible i"""
