"""The conditions of rules: a list of `{"field", "operator", "value"}` that must all hold. Checked when saved.

`is` and `is_not` take one value or several of which any will do; `contains` looks for words in any case. There are no
regular expressions: what people type here runs on every mail.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from helpdesk.conversations.models import Conversation, Priority, Status
from helpdesk.events.models import Event

MOST = 20
MOST_VALUES = 50
LONGEST_VALUE = 200
# Of a longer text only the beginning is searched.
LONGEST_TEXT = 100_000
NONE: Final = "none"

_CHOICE = ("is", "is_not")
_WORDS = ("contains", "contains_not", "is", "is_not")
_CUSTOM = ("is", "is_not", "contains", "contains_not", "is_empty", "is_filled")
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "channel": _CHOICE,
    "status": _CHOICE,
    "priority": _CHOICE,
    "team": _CHOICE,
    "assignee": _CHOICE,
    "email": _WORDS,
    "domain": _CHOICE,
    "organization": _CHOICE,
    "plan": _CHOICE,
    "service": _CHOICE,
    "tag": _CHOICE,
    "subject": _WORDS,
    "text": ("contains", "contains_not"),
    "hours": ("is",),
    "by": _CHOICE,
    "automatic": ("is",),
}
CUSTOM: Final = "custom."


class BadCondition(ValueError):
    """A condition that means nothing; `args[0]` says which and why."""


@dataclass(frozen=True, slots=True)
class Case:
    """An event with what conditions ask about. `text` is what was written, `is_open` whether the office was open."""

    conversation: Conversation
    event: Event | None
    text: str = ""
    tags: Collection[str] = ()
    services: Collection[int] = ()
    is_open: bool = True
    by: str = "system"
    is_automatic: bool = False
    cause: Mapping[str, Any] = field(default_factory=dict)


def cleaned(given: Any) -> list[dict[str, Any]]:
    """The conditions in their one form. Raises BadCondition."""
    if not isinstance(given, list) or len(given) > MOST:
        raise BadCondition(f"give a list of at most {MOST} conditions")
    return [_cleaned(condition, place) for place, condition in enumerate(given, 1)]


def _cleaned(condition: Any, place: int) -> dict[str, Any]:
    if not isinstance(condition, dict) or not set(condition) <= {"field", "operator", "value"}:
        raise BadCondition(f"condition {place}: give field, operator and value")
    name, operator = str(condition.get("field")), condition.get("operator", "is")
    allowed = _operators(name)
    if operator not in allowed:
        raise BadCondition(f"condition {place}: {name} knows the operators {', '.join(allowed)}")
    if operator in ("is_empty", "is_filled"):
        return {"field": name, "operator": operator}
    try:
        values = _values(name, condition.get("value"))
    except (TypeError, ValueError) as error:
        raise BadCondition(f"condition {place}: {error}") from error
    return {"field": name, "operator": operator, "value": values}


def _operators(name: str) -> tuple[str, ...]:
    if name.startswith(CUSTOM) and 0 < len(name.removeprefix(CUSTOM)) <= 40:
        return _CUSTOM
    if name not in OPERATORS:
        raise BadCondition(f"there is no field {name[:40]}; there are {', '.join(OPERATORS)} and {CUSTOM}KEY")
    return OPERATORS[name]


def _values(name: str, given: Any) -> list[Any]:
    values = given if isinstance(given, list) else [given]
    if not 0 < len(values) <= MOST_VALUES:
        raise ValueError(f"give 1 to {MOST_VALUES} values")
    clean: Callable[[Any], Any] = _CLEANERS.get(name, _text)
    return list(dict.fromkeys(clean(value) for value in values))


def _text(value: Any) -> str:
    text = str(value).strip().lower() if isinstance(value, str | int | float) else ""
    if not text or len(text) > LONGEST_VALUE:
        raise ValueError(f"a value is a text of 1 to {LONGEST_VALUE} characters")
    return text


def _id_or_none(value: Any) -> int | str:
    if value in (NONE, None):
        return NONE
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise ValueError("a value is a number, or none")
    number = int(str(value)[:19])
    if not 0 < number < 2**63:
        raise ValueError("this number is none of ours")
    return number


def _domain(value: Any) -> str:
    return _text(value).removeprefix("@")


def _one_of(*words: str) -> Callable[[Any], str]:
    def clean(value: Any) -> str:
        if value not in words:
            raise ValueError(f"a value is one of {', '.join(words)}")
        return str(value)

    return clean


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("a value is true or false")
    return value


_CLEANERS: Mapping[str, Callable[[Any], Any]] = {
    "status": _one_of(*Status.values),
    "priority": _one_of(*Priority.values),
    **dict.fromkeys(("team", "assignee", "organization", "plan", "service"), _id_or_none),
    "domain": _domain,
    "hours": _one_of("open", "closed"),
    "by": _one_of(*Event.Actor.values),
    "automatic": _yes_or_no,
}


def hold(conditions: Sequence[Mapping[str, Any]], case: Case) -> bool:
    """Whether all of them hold."""
    return all(_holds(condition, case) for condition in conditions)


def _holds(condition: Mapping[str, Any], case: Case) -> bool:
    name, operator = condition["field"], condition["operator"]
    found: Collection[Any] = _custom(name, case) if name.startswith(CUSTOM) else _READERS[name](case)
    if operator == "is_empty":
        return not any(found)
    if operator == "is_filled":
        return any(found)
    wanted = condition["value"]
    if operator in ("is", "is_not"):
        is_one: bool = not set(wanted).isdisjoint(found)
        return is_one if operator == "is" else not is_one
    has: bool = any(word in text for text in found for word in wanted)
    return has if operator == "contains" else not has


def _custom(name: str, case: Case) -> list[str]:
    value = case.conversation.custom.get(name.removeprefix(CUSTOM))
    return [] if value is None else [str(value).strip().lower()[:LONGEST_TEXT]]


def _plan(case: Case) -> int | str:
    organization = case.conversation.organization
    return organization.plan_id if organization else NONE


# What each field is of a case, as the values it may be compared with.
_READERS: Mapping[str, Callable[[Case], Collection[Any]]] = {
    "channel": lambda case: [case.conversation.channel],
    "status": lambda case: [case.conversation.status],
    "priority": lambda case: [case.conversation.priority],
    "team": lambda case: [case.conversation.team_id or NONE],
    "assignee": lambda case: [case.conversation.assignee_id or NONE],
    "email": lambda case: [case.conversation.customer.email.lower()],
    "domain": lambda case: [case.conversation.customer.email.lower().rpartition("@")[2]],
    "organization": lambda case: [case.conversation.organization_id or NONE],
    "plan": lambda case: [_plan(case)],
    "service": lambda case: case.services or [NONE],
    "tag": lambda case: case.tags,
    "subject": lambda case: [case.conversation.subject.lower()],
    "text": lambda case: [case.text[:LONGEST_TEXT].lower()],
    "hours": lambda case: ["open" if case.is_open else "closed"],
    "by": lambda case: [case.by],
    "automatic": lambda case: [case.is_automatic],
}
