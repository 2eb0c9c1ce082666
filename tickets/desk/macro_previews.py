"""What macros would do to one conversation, in words, before an agent applies one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Conversation, CustomField
from helpdesk.customers.models import Service, Team, User
from tickets.desk import steps, variables
from tickets.desk.models import Macro
from tickets.desk.wording import labels

_ICONS: Final = {
    "set_status": "circle-check",
    "set_priority": "triangle-alert",
    "set_team": "users",
    "assign": "user",
    "add_tags": "tag",
    "remove_tags": "tag",
    "add_services": "server",
    "set_custom": "table",
    "snooze": "alarm-clock",
    "note": "sticky-note",
    "reply": "reply",
    "mark_spam": "shield-alert",
    "close": "archive",
}
Names = Mapping[tuple[str, object], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One action: a picture, what it does, and for what is written the text with its places filled in."""

    icon: str
    what: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    macro: Macro
    lines: list[Line]


def of(macros: Iterable[Macro], conversation: Conversation, user: User) -> list[Preview]:
    """One for each macro; a bounded number of statements however many they are."""
    macros = list(macros)
    names = _names([step for macro in macros for step in macro.actions])
    values = variables.values_of(conversation, user)
    return [Preview(macro, [_line(step, names, values, user) for step in macro.actions]) for macro in macros]


def unfilled(macros: Iterable[Macro], user: User) -> list[Preview]:
    """The same for no conversation of all: what is written keeps its places, for each has its own words there."""
    macros = list(macros)
    names = _names([step for macro in macros for step in macro.actions])
    return [Preview(macro, [_line(step, names, None, user) for step in macro.actions]) for macro in macros]


def _names(actions: Sequence[Mapping[str, Any]]) -> Names:
    def wanted(what: str) -> set[Any]:
        given = [step["value"] for step in actions if step["do"] == what]
        return {one for value in given for one in (value if isinstance(value, list) else [value]) if one}

    found: dict[tuple[str, object], str] = {}
    people, teams, services = wanted("assign") - {steps.ME}, wanted("set_team"), wanted("add_services")
    fields = {key for step in actions if step["do"] == "set_custom" for key in step["value"]}
    if people:
        found |= {("assign", user.pk): str(user) for user in User.objects.filter(pk__in=people)}
    if teams:
        found |= {("set_team", team.pk): team.name for team in Team.objects.filter(pk__in=teams)}
    if services:
        found |= {("add_services", one.pk): one.name for one in Service.objects.filter(pk__in=services)}
    if fields:
        found |= {("set_custom", one.key): one.name for one in CustomField.objects.filter(key__in=fields)}
    return found


def _line(step: Mapping[str, Any], names: Names, values: Mapping[str, str] | None, user: User) -> Line:
    do, value = step["do"], step["value"]
    icon = _ICONS.get(do, "zap")
    if do in ("reply", "note"):
        what = _("Replies to the customer") if do == "reply" else _("Writes a note")
        return Line(icon, what, value if values is None else variables.fill(value, values))
    return Line(icon, _said(do, value, names, user))


def _said(do: str, value: Any, names: Names, user: User) -> str:
    words = labels(get_language())

    def named(one: object) -> str:
        """What is named may be gone since the macro was saved."""
        return names.get((do, one), _("(gone)"))

    match do:
        case "set_status":
            return _("Status: %(status)s") % {"status": words["status"][value]}
        case "set_priority":
            return _("Priority: %(priority)s") % {"priority": words["priority"][value]}
        case "set_team":
            return _("Team: %(team)s") % {"team": named(value) if value else _("No team")}
        case "assign":
            who = str(user) if value == steps.ME else named(value) if value else _("Nobody")
            return _("Assignee: %(agent)s") % {"agent": who}
        case "add_tags":
            return _("Adds the tags %(tags)s") % {"tags": ", ".join(value)}
        case "remove_tags":
            return _("Removes the tags %(tags)s") % {"tags": ", ".join(value)}
        case "add_services":
            return _("Adds the services %(services)s") % {"services": ", ".join(map(named, value))}
        case "set_custom":
            return ", ".join(f"{names.get((do, key), key)}: {filled}" for key, filled in value.items())
        case "snooze":
            return ngettext("Puts it off for %(hours)s hour", "Puts it off for %(hours)s hours", value) % {
                "hours": value
            }
        case "mark_spam":
            return _("Marks it as spam")
        case "close":
            return _("Closes it")
    return str(do)
