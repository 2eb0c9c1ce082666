"""Whom a component concerns: organizations that have one of its services, or something that runs on it.

Not the other way round: who has a place in a cluster is not concerned by each server in it. Of private components, and
of what lies in private groups, nobody else is to know: whatever somebody names in a mail, a stranger stays one.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from helpdesk.customers.models import Organization, Service
from helpdesk.prepared import Prepared
from status import addresses
from status.models import Component, IncidentComponent

_COMPONENT: Final = Component._meta.db_table
_SERVICE: Final = Service._meta.db_table
_STANDS_FOR: Final = Component.services.through._meta.db_table
_HAS: Final = Organization.services.through._meta.db_table
_AFFECTED: Final = IncidentComponent._meta.db_table
# Both about `component`, in whose group others may not look either.
IS_PUBLIC: Final = f"""(NOT component.is_private AND NOT EXISTS (
    SELECT FROM {_COMPONENT} AS around WHERE around.id = component.group_id AND around.is_private))"""
MAY_KNOW: Final = f"""({IS_PUBLIC} OR %(organization)s::bigint IN (
    WITH RECURSIVE below(id) AS (
        SELECT service_id FROM {_STANDS_FOR} WHERE component_id = component.id
        UNION SELECT child.id FROM {_SERVICE} AS child JOIN below ON child.parent_id = below.id)
    SELECT owner.organization_id FROM below JOIN {_HAS} AS owner ON owner.service_id = below.id))"""
_MAY_KNOW_OF: Final = Prepared(
    "may_know_of_incident",
    f"""
SELECT NOT EXISTS (SELECT FROM {_AFFECTED} WHERE incident_id = %(incident)s::bigint)
    OR EXISTS (SELECT FROM {_AFFECTED} AS hit JOIN {_COMPONENT} AS component ON component.id = hit.component_id
        WHERE hit.incident_id = %(incident)s::bigint AND {MAY_KNOW})
""",
)
_ORGANIZATIONS: Final = Prepared(
    "organizations_of_components",
    f"""
WITH RECURSIVE below AS (
    SELECT mapped.component_id, mapped.service_id FROM {_STANDS_FOR} AS mapped
    WHERE mapped.component_id = ANY(%s::bigint[])
    UNION
    SELECT below.component_id, child.id FROM below
    JOIN {_SERVICE} AS child ON child.parent_id = below.service_id)
SELECT DISTINCT below.component_id, owner.organization_id FROM below
JOIN {_HAS} AS owner ON owner.service_id = below.service_id
""",
)


def organizations_of(component_ids: Collection[int]) -> dict[int, set[int]]:
    """The organizations each of these components concerns; components that concern nobody are left out."""
    found: dict[int, set[int]] = defaultdict(set)
    for component_id, organization_id in _ORGANIZATIONS.rows([sorted(component_ids)]) if component_ids else ():
        found[component_id].add(organization_id)
    return dict(found)


def may_know_of(incident_id: int, organization_id: int | None) -> bool:
    """Whether somebody of this organization (None: of none) may know of an incident: it affects what is public
    or theirs, or nothing in particular.
    """
    row = _MAY_KNOW_OF.row({"incident": incident_id, "organization": organization_id})
    return row is not None and bool(row[0])


def incident_url(incident_id: int, public_id: str) -> str:
    """The page of an incident, for who is told of it: of a private one with us, for other hosts have no such page."""
    is_elsewhere = addresses.page_url() != addresses.own_page_url()
    if is_elsewhere and not may_know_of(incident_id, None):
        return f"{addresses.own_page_url()}/incidents/{public_id}/"
    return addresses.incident_url(public_id)
