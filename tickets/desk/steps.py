"""What rules and macros do: a list of `{"do", "value"}`, checked when saved, done in one transaction.

What is written goes out first and the changes follow in one step, so that a macro's reply and its status are one
change. A rule writes as the house itself; a macro as the agent who applies it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import custom_fields, visibility
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation, Priority, Status
from helpdesk.customers.models import Service, Team, User
from helpdesk.desk import markdown
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from tickets.desk import mentions, variables
from tickets.desk.models import Mention

MOST = 20
MOST_NAMES = 50
LONGEST_TEXT = 20_000
LONGEST_SNOOZE_HOURS = 24 * 365
ME: Final = "me"
ASSIGNEE: Final = "assignee"


class BadStep(ValueError):
    """An action that means nothing; `args[0]` says which and why."""


class CannotDo(ValueError):
    """An action that makes no sense for this conversation now; `args[0]` says why. Nothing was done."""


def cleaned(given: Any, *, for_rule: bool) -> list[dict[str, Any]]:
    """The actions in their one form; every row they name exists. Raises BadStep.

    `notify` is for rules, and `me` for macros alone.
    """
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise BadStep(f"give a list of 1 to {MOST} actions")
    return [_cleaned(step, place, for_rule) for place, step in enumerate(given, 1)]


def _cleaned(step: Any, place: int, for_rule: bool) -> dict[str, Any]:
    if not isinstance(step, dict) or not set(step) <= {"do", "value", "text"}:
        raise BadStep(f"action {place}: give do and value")
    name = step.get("do")
    if not isinstance(name, str) or name not in CLEANERS or (name == "notify" and not for_rule):
        raise BadStep(f"action {place}: there is no {str(name)[:40]}; there are {', '.join(CLEANERS)}")
    try:
        value = CLEANERS[name](step.get("value"))
        if for_rule and value == ME:
            raise ValueError("nobody applies a rule: name an agent")
        clean = {"do": name, "value": value}
        return {**clean, "text": _told(step.get("text", ""))} if name == "notify" else clean
    except (TypeError, ValueError) as error:
        raise BadStep(f"action {place}: {error}") from error


def _told(value: Any) -> str:
    return _text(value) if value else ""


def _one_of(*words: str) -> Callable[[Any], str]:
    def clean(value: Any) -> str:
        if value not in words:
            raise ValueError(f"the value is one of {', '.join(words)}")
        return str(value)

    return clean


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT:
        raise ValueError(f"the value is a text of 1 to {LONGEST_TEXT} characters")
    try:
        return variables.check(value.strip())
    except variables.UnknownVariable as error:
        raise ValueError(f"there is no {error}; there are {', '.join(variables.VARIABLES)}") from error


def _names(value: Any) -> list[str]:
    names = value if isinstance(value, list) else [value]
    clean = sorted({name.strip().lower()[:80] for name in names if isinstance(name, str) and name.strip()})
    if not 0 < len(clean) <= MOST_NAMES:
        raise ValueError(f"the value is 1 to {MOST_NAMES} names")
    return clean


def _id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise ValueError("the value is a number")
    number = int(str(value)[:19])
    if not 0 < number < 2**63:
        raise ValueError("this number is none of ours")
    return number


def _row(model: type[Team] | type[User], *words: str) -> Callable[[Any], int | str | None]:
    """An id of a row that is there, one of `words`, or None for nobody."""

    def clean(value: Any) -> int | str | None:
        if value in (None, "none"):
            return None
        if value in words:
            return str(value)
        number = _id(value)
        if not model._default_manager.filter(pk=number).exists():
            raise ValueError(f"there is no {model._meta.verbose_name} {number}")
        return number

    return clean


def _services(value: Any) -> list[int]:
    numbers = sorted({_id(one) for one in (value if isinstance(value, list) else [value])})
    if not 0 < len(numbers) <= MOST_NAMES:
        raise ValueError(f"the value is 1 to {MOST_NAMES} numbers")
    if Service.objects.filter(pk__in=numbers).count() < len(numbers):
        raise ValueError("one of these services is not there")
    return numbers


def _agents(value: Any) -> list[int | str]:
    given = value if isinstance(value, list) else [value]
    if not 0 < len(given) <= MOST_NAMES:
        raise ValueError(f"the value is 1 to {MOST_NAMES} agents")
    numbers = sorted({_id(one) for one in given if one != ASSIGNEE})
    if User.objects.filter(pk__in=numbers, is_active=True).count() < len(numbers):
        raise ValueError("one of these agents is not there")
    return [*numbers, ASSIGNEE] if ASSIGNEE in given else [*numbers]


def _hours(value: Any) -> int:
    hours = _id(value)
    if hours > LONGEST_SNOOZE_HOURS:
        raise ValueError(f"at most {LONGEST_SNOOZE_HOURS} hours")
    return hours


def _nothing(value: Any) -> None:
    if value not in (None, "", True):
        raise ValueError("this has no value")


def _custom(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not 0 < len(value) <= MOST_NAMES:
        raise ValueError("the value is an object: key of a custom field to its value")
    return custom_fields.checked(value)


CLEANERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "set_status": _one_of(*Status.values),
    "set_priority": _one_of(*Priority.values),
    "set_team": _row(Team),
    "assign": _row(User, ME),
    "add_tags": _names,
    "remove_tags": _names,
    "add_services": _services,
    "set_custom": _custom,
    "snooze": _hours,
    "note": _text,
    "reply": _text,
    "notify": _agents,
    "mark_spam": _nothing,
    "close": _nothing,
}
WRITING: Final = ("reply", "note", "notify")


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does it: an agent, or with None the house itself; `after_silence` where nobody is left to fill in fields.

    An agent's reply stays here for `holds`, so that it can be taken back.
    """

    agent: User | None
    after_silence: bool = False
    holds: timedelta = timedelta(0)

    @property
    def actor(self) -> Actor:
        return Actor.agent(self.agent) if self.agent else SYSTEM


@transaction.atomic
def do(conversation_id: int, steps: Sequence[Mapping[str, Any]], doer: Doer, *, at: datetime) -> list[dict[str, Any]]:
    """Do all of it, or nothing; what was done, action by action. Raises CannotDo, Conversation.DoesNotExist."""
    conversation = lock(conversation_id)
    if conversation.merged_into_id is not None:
        raise CannotDo("it was merged into another conversation")
    changes = _changes(conversation, steps, doer, at)
    status = changes.get("status")
    values = variables.values_of(conversation, doer.agent)
    try:
        if "custom" in changes:
            # Before a reply, which may resolve it: what must be filled in then is.
            custom = conversations.Changes(custom=changes.pop("custom"))
            conversations.change(conversation.pk, custom, actor=doer.actor, at=at)
        for step in steps:
            if step["do"] in WRITING:
                _write(conversation, step, values, doer, status, at)
        conversations.change(
            conversation.pk,
            conversations.Changes(**changes),
            actor=doer.actor,
            at=at,
            may_lack_fields=doer.after_silence,
        )
    except conversations.CannotSleep as error:
        raise CannotDo("what is done cannot be snoozed") from error
    except conversations.Refused as error:
        raise CannotDo(error.words) from error
    except conversations.NotFilledIn as error:
        raise CannotDo(str(error)) from error
    return [dict(step) for step in steps]


def _changes(
    conversation: Conversation, steps: Sequence[Mapping[str, Any]], doer: Doer, at: datetime
) -> dict[str, Any]:
    """The arguments of `Changes`; of two actions about the same thing the later one holds."""
    changes: dict[str, Any] = {}
    tags = set(conversation.tags.values_list("name", flat=True)) if _has(steps, "add_tags", "remove_tags") else set()
    for step in steps:
        value = step["value"]
        match step["do"]:
            case "set_status" | "set_priority":
                changes[step["do"].removeprefix("set_")] = value
            case "close":
                changes["status"] = Status.CLOSED
            case "set_team":
                changes["team"] = _found(Team, value)
            case "assign":
                changes["assignee"] = doer.agent if value == ME else _found(User, value)
            case "add_tags":
                changes["tags"] = tags = tags | set(value)
            case "remove_tags":
                changes["tags"] = tags = tags - set(value)
            case "add_services":
                changes["services"] = [*conversation.services.all(), *Service.objects.filter(pk__in=value)]
            case "set_custom":
                changes["custom"] = {**changes.get("custom", {}), **value}
            case "snooze":
                changes["snoozed_until"] = at + timedelta(hours=value)
            case "mark_spam":
                changes["is_spam"] = True
    return changes


def _has(steps: Sequence[Mapping[str, Any]], *names: str) -> bool:
    return any(step["do"] in names for step in steps)


def _found(model: type[Team] | type[User], pk: int | None) -> Any:
    """The row, which may have gone since the action was saved. An agent who left is given nothing."""
    if pk is None:
        return None
    row = model._default_manager.filter(pk=pk).first()
    if row is None or (isinstance(row, User) and not row.is_active):
        raise CannotDo(f"{model._meta.verbose_name} {pk} is not there any more")
    return row


def _write(
    conversation: Conversation,
    step: Mapping[str, Any],
    values: Mapping[str, str],
    doer: Doer,
    status: str | None,
    at: datetime,
) -> None:
    if step["do"] == "notify":
        _notify(conversation, step, values, at)
        return
    text = variables.fill(step["value"], values)
    if not text.strip():
        raise CannotDo("nothing is left of the text when it is filled in")
    if step["do"] == "note":
        if doer.agent is None:
            conversations.note_automatically(conversation, text, at=at)
        else:
            mentions.write_note(conversation.pk, doer.agent, text, at=at)
    elif doer.agent is None:
        conversations.say(conversation, text, at=at)
    else:
        html = markdown.render(text) if markdown.is_formatted(text) else ""
        then = status or Status.PENDING
        conversations.answer(conversation, doer.agent, text, at=at, html=html, status=then, holds=doer.holds)


def _notify(conversation: Conversation, step: Mapping[str, Any], values: Mapping[str, str], at: datetime) -> None:
    """A note that mentions agents, who hear of it as of any mention."""
    wanted = {conversation.assignee_id if one == ASSIGNEE else one for one in step["value"]}
    allowed = {agent for _, agent in visibility.watchers([conversation.pk], [one for one in wanted if one])}
    agents = list(mentions.agents().filter(pk__in=allowed))
    if not agents:
        raise CannotDo("nobody is left to notify")
    names = " ".join(f"@{agent.name or agent.email}" for agent in agents)
    text = f"{names} {variables.fill(step['text'], values)}".strip()
    message = conversations.note_automatically(conversation, text, at=at)
    Mention.objects.bulk_create(
        [Mention(conversation=conversation, message=message, user=agent, at=at) for agent in agents]
    )
    data = {"message": message.pk, "agents": [agent.pk for agent in agents]}
    record(Fact("agent.mentioned", conversation.pk, data=data), at=at)
