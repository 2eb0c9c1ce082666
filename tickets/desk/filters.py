"""What a view of the inbox shows: filters as people and saved views state them, and the SQL that finds them.

A filter is a plain dictionary, kept as JSON: `{"status": ["new", "open"], "assignee": "me", "tag": ["vip"]}`. What is
not named is not asked for. Several values of one key mean any of them, several keys all of them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from helpdesk.conversations import incidents, visibility
from helpdesk.conversations.models import Conversation, Priority, Status, Tag
from helpdesk.customers.models import User
from helpdesk.sla.models import Clock
from tickets.desk.models import Mention

ACTIVE = ("new", "open")
WORKED = ("new", "open", "pending", "on_hold")
ANY = 64
# What an address may name more than once; of the rest the last one counts.
SEVERAL = ("tag", "status", "priority", "channel")
_TAGGED = f"""id IN (SELECT has.conversation_id FROM {Conversation.tags.through._meta.db_table} AS has
    JOIN {Tag._meta.db_table} AS tag ON tag.id = has.tag_id WHERE tag.name = ANY(%(tag)s))"""
_OF_SERVICE = f"""id IN (SELECT conversation_id FROM {Conversation.services.through._meta.db_table}
    WHERE service_id = %(service)s)"""
_OF_INCIDENT = f"id IN ({incidents.conversations()})"
_MENTIONED = f"id IN (SELECT conversation_id FROM {Mention._meta.db_table} WHERE user_id = %(user)s)"
# Running clocks that have warned and those that are breached already: few, and they have an index of their own.
RISKY = "warned_at IS NOT NULL AND due_at IS NOT NULL AND met_at IS NULL AND cancelled_at IS NULL"
_AT_RISK = f"id IN (SELECT conversation_id FROM {Clock._meta.db_table} WHERE {RISKY})"
_OTHERS = (("incident", _OF_INCIDENT), ("mentioned", _MENTIONED), ("at_risk", _AT_RISK))
_MY_TEAMS = f"team_id IN (SELECT team_id FROM {User.teams.through._meta.db_table} WHERE user_id = %(user)s)"


class BadFilter(ValueError):
    """A filter that means nothing; `args[0]` says which and why."""


def cleaned(given: Mapping[str, Any]) -> dict[str, Any]:
    """The filter in its one form, empty keys left out. Raises BadFilter."""
    unknown = set(given) - set(_CLEANERS)
    if unknown:
        raise BadFilter(f"unknown: {', '.join(sorted(map(str, unknown)))[:80]}")
    result = {}
    for key, clean in _CLEANERS.items():
        if given.get(key) in (None, "", [], {}):
            continue
        try:
            result[key] = clean(given[key])
        except (TypeError, ValueError) as error:
            raise BadFilter(f"{key}: {error}"[:200]) from error
    return result


def condition(
    filters: Mapping[str, Any], user: User, alias: str = "", *, is_search: bool = False
) -> tuple[str, dict[str, Any]]:
    """SQL over the columns of Conversation, and its parameters, for what this agent may see of the cleaned filter.

    `alias` is the table's in the statement, with its dot. Snoozed conversations and spam are left out of every view
    that does not ask for them; a search finds what sleeps.
    """
    parts = [visibility.condition(user, f"{alias}team_id")]
    given: dict[str, Any] = {"user": user.pk}
    for key in ("status", "priority", "channel"):
        if key in filters:
            # As text of ours: the planner must see the values to take the index that was made for them.
            parts.append(f"{alias}{key} IN ({', '.join(_quoted(value) for value in filters[key])})")
    parts += _people(filters, given, alias)
    for key, column in (("customer", "customer_id"), ("organization", "organization_id")):
        if key in filters:
            parts.append(f"{alias}{column} = %({key})s")
            given[key] = filters[key]
    for key, sql in (("tag", _TAGGED), ("service", _OF_SERVICE), *_OTHERS):
        if key in filters:
            parts.append(alias + sql)
            given[key] = filters[key]
    if "custom" in filters:
        for number, (name, value) in enumerate(sorted(filters["custom"].items())):
            parts.append(f"{alias}custom ->> %(field{number})s = %(value{number})s")
            given |= {f"field{number}": name, f"value{number}": value}
    if filters.get("snoozed"):
        parts.append(f"{alias}snoozed_until IS NOT NULL")
    elif not is_search and _is_work(filters):
        parts.append(f"{alias}snoozed_until IS NULL")
    parts.append(f"{alias}is_spam" if filters.get("spam") else f"NOT {alias}is_spam")
    return " AND ".join(part for part in parts if part != "true"), given


def _is_work(filters: Mapping[str, Any]) -> bool:
    """Whether it is worked through; what is looked for by whose it is or what threatens it is found asleep as well."""
    return "status" in filters and not {"mentioned", "customer", "organization", "at_risk", "incident"} & set(filters)


def _people(filters: Mapping[str, Any], given: dict[str, Any], alias: str) -> list[str]:
    parts = []
    assignee, team = filters.get("assignee"), filters.get("team")
    if assignee == "none":
        parts.append(f"{alias}assignee_id IS NULL")
    elif assignee is not None:
        parts.append(f"{alias}assignee_id = %({'user' if assignee == 'me' else 'assignee'})s")
        given["assignee"] = assignee
    if team == "none":
        parts.append(f"{alias}team_id IS NULL")
    elif team is not None:
        parts.append(alias + (_MY_TEAMS if team == "mine" else "team_id = %(team)s"))
        given["team"] = team
    return parts


def _quoted(value: str) -> str:
    assert value.replace("_", "").isalnum(), "cleaned filters hold codes only"
    return f"'{value}'"


def _codes(allowed: frozenset[str] | None = None) -> Callable[[Any], list[str]]:
    def clean(value: Any) -> list[str]:
        values = [value] if isinstance(value, str) else list(value)
        for code in values:
            if not isinstance(code, str) or not code.isascii() or not code.replace("_", "").isalnum() or len(code) > 20:
                raise ValueError("not a code")
            if allowed is not None and code not in allowed:
                raise ValueError(f"not one of {', '.join(sorted(allowed))}")
        return sorted(set(values))[:ANY]

    return clean


def _names(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else list(value)
    return sorted({str(name).strip().lower()[:80] for name in values if str(name).strip()})[:ANY]


def _id(value: Any) -> int:
    number = int(value)
    if not 0 < number < 2**63:
        raise ValueError("not a number of ours")
    return number


def _public_id(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[a-z0-9]{12}", value):
        raise ValueError("not an incident's id")
    return value


def _one_of(*words: str) -> Callable[[Any], str | int]:
    return lambda value: value if value in words else _id(value)


def _flag(value: Any) -> bool:
    if value in (True, "1", "true", "on"):
        return True
    raise ValueError("can only be asked for")


def _values(value: Any) -> dict[str, str]:
    return {str(name)[:40]: str(wanted)[:200] for name, wanted in dict(value).items()}


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "status": _codes(frozenset(Status.values)),
    "priority": _codes(frozenset(Priority.values)),
    "channel": _codes(),
    "assignee": _one_of("me", "none"),
    "team": _one_of("mine", "none"),
    "customer": _id,
    "organization": _id,
    "service": _id,
    "incident": _public_id,
    "tag": _names,
    "custom": _values,
    "mentioned": _flag,
    "at_risk": _flag,
    "snoozed": _flag,
    "spam": _flag,
}
