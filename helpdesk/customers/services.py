"""Which services a text speaks of: host names, domains, IP addresses and cluster names in it."""

import re

from helpdesk.customers.models import Organization, Service

# By hand: the query's lists are long, and the ORM takes longer to write them than PostgreSQL to answer.
_NAMED = f"""
SELECT * FROM {Service._meta.db_table} WHERE name = ANY(%s::text[]) OR aliases && %s::varchar[] ORDER BY name
"""
MAX_TEXT = 20_000
MAX_CANDIDATES = 200
# Anything that could be the name of a machine: letters, digits, dots and dashes with a dot or a digit in it, or IPv6.
_NAME = re.compile(r"[0-9a-z](?:[0-9a-z.:-]{0,251}[0-9a-z])?")
_MARK = re.compile(r"[.:0-9]")


def mentioned_services(text: str, organization: Organization | None) -> list[Service]:
    """Services named in `text`; of the organization's own one where the text names none and it has just one.

    A name matches whole or as the end of a longer one: `www.shop.example` finds `shop.example`.
    """
    candidates = _candidates(text[:MAX_TEXT].lower())
    found: list[Service] = []
    if candidates:
        names = sorted(candidates)
        found = list(Service.objects.raw(_NAMED, [names, names]))
    if not found and organization is not None:
        websites = organization.services.filter(kind=Service.Kind.WEBSITE).select_related("parent__parent")
        own = list(websites[:2])
        found = own if len(own) == 1 else []
    return found


def _candidates(text: str) -> set[str]:
    names: set[str] = set()
    for match in _NAME.finditer(text):
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
    for service in services:
        current: Service | None = service
        while current is not None:
            if current.kind in (Service.Kind.CLUSTER, Service.Kind.WEBSITE):
                names.add(current.name)
            current = current.parent
    return sorted(names)
