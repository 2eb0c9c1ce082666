"""Which incidents concern whom: by the services somebody names or has, and everything those services lie in.

A component stands for services; what lies in one of them (a website on a server, a server in a cluster) is affected
with it. What is only planned affects nobody yet.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from helpdesk.customers.models import Customer, Organization, Service
from helpdesk.prepared import Prepared
from status.concerned import IS_PUBLIC, MAY_KNOW, incident_url
from status.models import Component, Incident, IncidentComponent, IncidentUpdate

_INCIDENT: Final = Incident._meta.db_table
_AFFECTED: Final = IncidentComponent._meta.db_table
_COMPONENT: Final = Component._meta.db_table
_SERVICE: Final = Service._meta.db_table
_STANDS_FOR: Final = Component.services.through._meta.db_table
_HAS: Final = Organization.services.through._meta.db_table
MOST: Final = 20

GOING_ON: Final = (
    "incident.resolved_at IS NULL AND incident.published_at IS NOT NULL AND incident.status <> 'scheduled'"
)
# While we only watch whether it holds, somebody for whom it does not is concerned all the same.
HIT: Final = "(hit.state <> 'operational' OR incident.status IN ('monitoring', 'verifying'))"
BADNESS: Final = (
    "array_position(ARRAY['major_outage', 'partial_outage', 'degraded_performance', 'under_maintenance'], hit.state)"
)
_SHOWN: Final = f"""
SELECT incident.id, incident.public_id, incident.name, incident.kind, incident.status,
    coalesce(nullif(incident.impact_override, ''), incident.impact) AS impact,
    (SELECT body FROM {IncidentUpdate._meta.db_table} AS said WHERE said.incident_id = incident.id
        AND said.published_at IS NOT NULL AND NOT said.is_reminder
        ORDER BY said.display_at DESC, said.id DESC LIMIT 1) AS says,
    array(SELECT component.name FROM {_AFFECTED} AS hit
        JOIN {_COMPONENT} AS component ON component.id = hit.component_id
        WHERE hit.incident_id = incident.id AND {HIT} AND {{named}}
        ORDER BY component.position, component.name LIMIT 20) AS components
FROM {_INCIDENT} AS incident
WHERE {GOING_ON} AND {{which}}
ORDER BY array_position(ARRAY['critical', 'major', 'minor', 'none', 'maintenance'],
    coalesce(nullif(incident.impact_override, ''), incident.impact)::text), incident.started_at DESC, incident.id
LIMIT {MOST}
"""
_ABOVE: Final = f"""
WITH RECURSIVE above(id, parent_id) AS (
    SELECT id, parent_id FROM {_SERVICE} WHERE {{given}}
    UNION SELECT service.id, service.parent_id FROM {_SERVICE} AS service JOIN above ON service.id = above.parent_id
), touched AS (
    SELECT DISTINCT component_id AS id FROM {_STANDS_FOR} WHERE service_id IN (SELECT id FROM above)
)
"""
_TOUCHED: Final = "component.id IN (SELECT id FROM touched)"


def _touching(which: str) -> str:
    return f"""EXISTS (SELECT FROM {_AFFECTED} AS hit JOIN {_COMPONENT} AS component
    ON component.id = hit.component_id WHERE hit.incident_id = incident.id AND {HIT} AND {which})"""


_OF_SERVICES = Prepared(
    "incidents_of_services",
    _ABOVE.format(given="id = ANY(%(services)s::bigint[])")
    + _SHOWN.format(named=f"{_TOUCHED} AND {MAY_KNOW}", which=_touching(f"{_TOUCHED} AND {MAY_KNOW}")),
)
_OF_ORGANIZATION = Prepared(
    "incidents_of_organization",
    _ABOVE.format(given=f"id IN (SELECT service_id FROM {_HAS} WHERE organization_id = %s)")
    + _SHOWN.format(named=_TOUCHED, which=_touching(_TOUCHED)),
)
# What stands for no service, such as the way mail takes, everybody uses; as does what is told without a component.
_SHARED: Final = f"""({IS_PUBLIC}
    AND NOT EXISTS (SELECT FROM {_STANDS_FOR} AS meant WHERE meant.component_id = component.id))"""
_OF_CUSTOMER = Prepared(
    "incidents_of_customer",
    _ABOVE.format(given=f"id IN (SELECT service_id FROM {_HAS} WHERE organization_id = %s)")
    + _SHOWN.format(
        named=f"({_TOUCHED} OR {_SHARED})",
        which=f"""({_touching(f"({_TOUCHED} OR {_SHARED})")}
    OR NOT EXISTS (SELECT FROM {_AFFECTED} AS hit WHERE hit.incident_id = incident.id))""",
    ),
)
# One of which all components are private is nobody's business but its customers'.
_PUBLIC = Prepared(
    "incidents_public",
    _SHOWN.format(
        named=IS_PUBLIC,
        which=f"""(NOT EXISTS (SELECT FROM {_AFFECTED} AS hit WHERE hit.incident_id = incident.id)
    OR EXISTS (SELECT FROM {_AFFECTED} AS hit JOIN {_COMPONENT} AS component ON component.id = hit.component_id
        WHERE hit.incident_id = incident.id AND {IS_PUBLIC}))""",
    ),
)
_COMPONENTS = Prepared(
    "components_of_services", _ABOVE.format(given="id = ANY(%s::bigint[])") + "SELECT id FROM touched ORDER BY id"
)
_ANYTHING = Prepared("is_an_incident_going_on", f"SELECT 1 FROM {_INCIDENT} AS incident WHERE {GOING_ON} LIMIT 1")
_HAS_SERVICES = Prepared("organization_has_services", f"SELECT 1 FROM {_HAS} WHERE organization_id = %s LIMIT 1")


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident that goes on, as it concerns somebody: `says` are its newest words, `components` the names of those
    that concern them.
    """

    id: int
    public_id: str
    name: str
    kind: str
    status: str
    impact: str
    says: str
    components: tuple[str, ...]

    @property
    def url(self) -> str:
        """Its page, wherever it is read."""
        return incident_url(self.id, self.public_id)


def is_anything_wrong() -> bool:
    """Whether anything goes on at all, which is asked far more often than it does."""
    return bool(_ANYTHING.rows())


def of_services(services: Collection[int], organization_id: int | None) -> list[Trouble]:
    """What goes on with these services, as far as somebody of this organization (None: of none) may know of it."""
    given = {"services": sorted(services), "organization": organization_id}
    return _found(_OF_SERVICES, given) if services else []


def of_organization(organization_id: int | None) -> list[Trouble]:
    """What goes on with the services of an organization, private components included."""
    return [] if organization_id is None else _found(_OF_ORGANIZATION, [organization_id])


def of_customer(customer: Customer) -> list[Trouble]:
    """What concerns a customer who is known for certain: their company's services and what everybody uses; where we
    know of no services, what the public sees.
    """
    if customer.organization_id is None or not _HAS_SERVICES.rows([customer.organization_id]):
        return public()
    return _found(_OF_CUSTOMER, [customer.organization_id])


def public() -> list[Trouble]:
    """Everything that goes on and that anybody may know."""
    return _found(_PUBLIC, [])


def components_of(services: Collection[int]) -> list[int]:
    """The components that stand for these services or for what they lie in."""
    return [row[0] for row in _COMPONENTS.rows([sorted(services)])] if services else []


def _found(statement: Prepared, params: Sequence[Any] | Mapping[str, Any]) -> list[Trouble]:
    return [Trouble(**{**row, "components": tuple(row["components"])}) for row in statement.mappings(params)]


def listed(names: Sequence[str]) -> str:
    """Components as people name them, a few of many."""
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else _("%(names)s and others") % {"names": shown}
