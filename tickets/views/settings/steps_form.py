"""Actions of rules and macros as parts of a form: one choice says what, one text what it says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Priority, Status
from helpdesk.customers.agents import active, are_many
from helpdesk.customers.models import Service, Team, User
from helpdesk.desk.forms import dress
from helpdesk.desk.named import NamedField
from helpdesk.numbers import is_number
from tickets.desk import steps
from tickets.desk.wording import labels
from tickets.views.settings.parts import Part

# Those whose value is written rather than chosen.
_TEXTS = ("reply", "note", "add_tags", "remove_tags", "add_services", "set_custom", "snooze", "notify")

# The end of a code that leaves the agent to the field beside it.
_BY_NAME = ":who"

Steps = Sequence[Mapping[str, Any]]


class StepPart(Part):
    """One action. What is chosen is `do:value`, or `do` alone where the text is the value."""

    do = forms.ChoiceField(required=False, label=gettext_lazy("Do"))
    text = forms.CharField(
        required=False,
        max_length=steps.LONGEST_TEXT,
        strip=False,
        label=gettext_lazy("With"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, for_rule: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["do"]
        assert isinstance(field, forms.ChoiceField)
        many = are_many()
        if many:
            self.fields["who"] = NamedField(active(), required=False, label=gettext_lazy("Who"))
            dress(self.fields["who"])
        had = str(self.initial.get("do", ""))
        field.choices = list(choices(for_rule, named=[had] if many else None))
        self.fields["text"].help_text = _(
            "The text, tags with commas, a number of hours, services by name, or KEY=value of a custom field."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        name = str(cleaned.get("do", "")).partition(":")[0]
        if name in _TEXTS and name != "notify" and not str(cleaned.get("text", "")).strip():
            self.add_error("text", _("Say what."))
        if str(cleaned.get("do", "")).endswith(_BY_NAME) and not cleaned.get("who") and not self.errors:
            self.add_error("who", _("Say who."))
        return cleaned


def _people(named: Iterable[str] | None) -> list[tuple[Any, str]]:
    if named is None:
        return [(user.pk, str(user)) for user in active()]
    numbers = {int(code.partition(":")[2]) for code in named if is_number(code.partition(":")[2])}
    return [(user.pk, str(user)) for user in User.objects.filter(pk__in=numbers)]


def choices(for_rule: bool, named: Iterable[str] | None = None) -> Iterable[tuple[Any, Any]]:
    """What may be done. Where there are too many agents to list, only those of the codes `named`: others are named in
    a field of their own.
    """
    names = labels(get_language())
    people = _people(named)
    if named is not None:
        people.append((_BY_NAME[1:], _("Whom I name beside it")))
    agents = [(f"assign:{pk}", name) for pk, name in people]
    yield "", _("Nothing")
    yield (
        _("Write"),
        [("reply", _("Reply to the customer")), ("note", _("Write a note"))],
    )
    yield (
        _("Give it to"),
        [
            *([] if for_rule else [("assign:me", _("Me"))]),
            ("assign:none", _("Nobody")),
            *agents,
        ],
    )
    yield _("Hand it to the team"), [(f"set_team:{pk}", name) for pk, name in Team.objects.values_list("pk", "name")]
    yield _("Make its status"), [(f"set_status:{code}", names["status"][code]) for code in Status.values]
    yield _("Make its priority"), [(f"set_priority:{code}", names["priority"][code]) for code in Priority.values]
    if for_rule:
        tells = [(f"notify:{pk}", name) for pk, name in people]
        yield _("Notify"), [("notify:assignee", _("Whoever has it")), *tells]
    yield (
        _("More"),
        [
            ("add_tags", _("Add tags")),
            ("remove_tags", _("Remove tags")),
            ("add_services", _("Add services")),
            ("set_custom", _("Fill in a custom field")),
            ("snooze", _("Snooze for hours")),
            ("mark_spam", _("Mark it as spam")),
            ("close", _("Close it")),
        ],
    )


def given_in(said: dict[str, Any]) -> dict[str, Any] | None:
    """A part's action as `steps.cleaned` takes it; None where it says nothing."""
    name, _colon, value = str(said["do"]).partition(":")
    text = str(said["text"])
    if not name:
        return None
    if value == _BY_NAME[1:]:
        value = str(said["who"].pk)
    if name == "notify":
        return {"do": name, "value": [value], "text": text.strip()}
    if name in ("add_tags", "remove_tags"):
        return {"do": name, "value": [tag for tag in text.split(",") if tag.strip()]}
    if name == "add_services":
        wanted = [part.strip().lower() for part in text.replace("\n", ",").split(",") if part.strip()]
        return {"do": name, "value": list(Service.objects.filter(name__in=wanted).values_list("pk", flat=True))}
    if name == "set_custom":
        pairs = (line.partition("=") for line in text.splitlines() if line.strip())
        return {"do": name, "value": {key.strip(): filled.strip() for key, _equals, filled in pairs}}
    if name in ("reply", "note", "snooze"):
        return {"do": name, "value": text.strip()}
    return {"do": name, "value": value or None}


def shown(step: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    """An action as the initial values of one part, or of several where it names several."""
    name, value = step["do"], step.get("value")
    if name == "notify":
        for agent in value if isinstance(value, list) else [value]:
            yield {"do": f"notify:{agent}", "text": step.get("text", "")}
    elif name in ("add_tags", "remove_tags"):
        yield {"do": name, "text": ", ".join(value or [])}
    elif name == "add_services":
        found = Service.objects.filter(pk__in=value or []).values_list("name", flat=True)
        yield {"do": name, "text": ", ".join(found)}
    elif name == "set_custom":
        yield {"do": name, "text": "\n".join(f"{key}={filled}" for key, filled in (value or {}).items())}
    elif name in ("reply", "note", "snooze"):
        yield {"do": name, "text": str(value)}
    elif name in ("mark_spam", "close"):
        yield {"do": name, "text": ""}
    else:
        yield {"do": f"{name}:{'none' if value is None else value}", "text": ""}


class Sayer:
    """Says actions in a line of words. What they name is looked up once for `every` list of actions there is to say."""

    def __init__(self, every: Iterable[Steps]) -> None:
        steps_said = [step for actions in every for step in actions]
        codes = [one["do"] for step in steps_said for one in shown(step)] if are_many() else None
        groups = choices(True, codes) if steps_said else ()
        self._words = {code: str(name) for _group, many in groups if isinstance(many, list) for code, name in many}
        services = {pk for step in steps_said if step["do"] == "add_services" for pk in step["value"] or []}
        self._services = dict(Service.objects.filter(pk__in=services).values_list("pk", "name")) if services else {}

    def said(self, actions: Steps, limit: int = 4) -> str:
        parts = []
        for step in actions[:limit]:
            what, text = self._one(step)
            text = " ".join(text.split())[:40]
            parts.append(f"{self._words.get(what, what)}{': ' + text if text else ''}")
        return " · ".join(parts)

    def _one(self, step: Mapping[str, Any]) -> tuple[str, str]:
        if step["do"] == "add_services":
            return "add_services", ", ".join(self._services[pk] for pk in step["value"] or [] if pk in self._services)
        first = next(iter(shown(step)))
        return first["do"], first["text"]
