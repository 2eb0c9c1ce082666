"""Which services a text speaks of: host names, domains, IP addresses and cluster names in it."""

import re
from typing import Any

from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import Organization, Service
from helpdesk.prepared import Prepared

# Three plain statements, of which most texts need one. One recursive one for all takes ten times as long as the first.
_NAMED = Prepared(
    "services_named",
    f"""
SELECT {columns(Service, "s")} FROM {Service._meta.db_table} s
WHERE name = ANY(%(names)s::text[]) OR aliases && %(names)s::varchar[] ORDER BY name
""",
)
_WEBSITES = Prepared(
    "websites_of_organization",
    f"""
SELECT {columns(Service, "s")} FROM {Service._meta.db_table} s
JOIN {Service.organizations.through._meta.db_table} o ON o.service_id = s.id
WHERE o.organization_id = %s AND s.kind = 'website' LIMIT 2
""",
)
_BY_ID = Prepared(
    "services_by_id", f"SELECT {columns(Service, 's')} FROM {Service._meta.db_table} s WHERE id = ANY(%s::bigint[])"
)
MAX_TEXT = 20_000
MAX_CANDIDATES = 200
# Anything that could be the name of a machine: letters, digits, dots and dashes with a dot or a digit in it, or IPv6.
_NAME = re.compile(r"[0-9a-z](?:[0-9a-z.:-]{0,251}[0-9a-z])?")
_MARK = re.compile(r"[.:0-9]")


def mentioned_services(text: str, organization: Organization | None) -> list[Service]:
    """Services named in `text`; of the organization's own one where the text names none and it has just one. Those
    above them (`parent`) are loaded with them.

    A name matches whole or as the end of a longer one: `www.shop.example` finds `shop.example`.
    """
    candidates = _candidates(text[:MAX_TEXT].lower())
    found = _read(_NAMED, {"names": sorted(candidates)}) if candidates else []
    if not found and organization is not None:
        own = _read(_WEBSITES, [organization.pk])
        found = own if len(own) == 1 else []
    _load_parents(found)
    return found


def _read(statement: Prepared, params: list[Any] | dict[str, Any]) -> list[Service]:
    return [take(Service, row)[0] for row in statement.rows(params)]


def _load_parents(services: list[Service]) -> None:
    known = {service.pk: service for service in services}
    level = services
    while missing := {service.parent_id for service in level if service.parent_id is not None} - known.keys():
        level = _read(_BY_ID, [sorted(missing)])
        known |= {service.pk: service for service in level}
    for service in known.values():
        if service.parent_id is not None:
            service.parent = known[service.parent_id]


def _candidates(text: str) -> set[str]:
    names: set[str] = set()
    # Names have no blanks in them, and most words no mark.
    marked = " ".join(word for word in text.split() if _MARK.search(word))
    for match in _NAME.finditer(marked):
        word = match.group()
        if _MARK.search(word) is None:
            continue
        names.add(word)
        names.add(word.split(":", 1)[0])
        labels = word.split(".")
        names.update(".".join(labels[start:]) for start in range(1, min(len(labels) - 1, 5)))
        if len(names) >= MAX_CANDIDATES:
            break
    return names


def tag_names(services: list[Service]) -> list[str]:
    """The clusters and websites to tag a conversation with, the clusters above the named servers included."""
    names = set()
    seen: set[int] = set()
    for service in services:
        current: Service | None = service
        while current is not None and current.pk not in seen:
            seen.add(current.pk)
            if current.kind in (Service.Kind.CLUSTER, Service.Kind.WEBSITE):
                names.add(current.name)
            current = current.parent
    return sorted(names)
