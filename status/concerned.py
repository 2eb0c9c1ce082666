"""Whom a component concerns: organizations that have one of its services, or something that runs on it.

Not the other way round: who has a place in a cluster is not concerned by each server in it.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from helpdesk.customers.models import Organization, Service
from helpdesk.prepared import Prepared
from status.models import Component

_ORGANIZATIONS: Final = Prepared(
    "organizations_of_components",
    f"""
WITH RECURSIVE below AS (
    SELECT mapped.component_id, mapped.service_id FROM {Component.services.through._meta.db_table} AS mapped
    WHERE mapped.component_id = ANY(%s::bigint[])
    UNION
    SELECT below.component_id, child.id FROM below
    JOIN {Service._meta.db_table} AS child ON child.parent_id = below.service_id)
SELECT DISTINCT below.component_id, owner.organization_id FROM below
JOIN {Organization.services.through._meta.db_table} AS owner ON owner.service_id = below.service_id
""",
)


def organizations_of(component_ids: Collection[int]) -> dict[int, set[int]]:
    """The organizations each of these components concerns; components that concern nobody are left out."""
    found: dict[int, set[int]] = defaultdict(set)
    for component_id, organization_id in _ORGANIZATIONS.rows([sorted(component_ids)]) if component_ids else ():
        found[component_id].add(organization_id)
    return dict(found)
