"""Conditions of rules as parts of a form: names are written and read as people know them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from helpdesk.conversations.models import CustomField, Priority, Status
from helpdesk.customers.models import Organization, Plan, Service, Team, User
from tickets.desk import conditions
from tickets.desk.wording import labels
from tickets.views.settings.parts import Part

_FIELDS: Final = {
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("What was written"),
    "email": gettext_lazy("Customer's address"),
    "domain": gettext_lazy("Customer's mail domain"),
    "organization": gettext_lazy("Organization"),
    "plan": gettext_lazy("Plan"),
    "channel": gettext_lazy("Channel"),
    "status": gettext_lazy("Status"),
    "priority": gettext_lazy("Priority"),
    "team": gettext_lazy("Team"),
    "assignee": gettext_lazy("Assignee"),
    "service": gettext_lazy("Service"),
    "tag": gettext_lazy("Tag"),
    "hours": gettext_lazy("Office hours (open, closed)"),
    "by": gettext_lazy("Done by (agent, customer, system)"),
    "automatic": gettext_lazy("Written by a machine (yes, no)"),
}
_OPERATORS: Final = {
    "is": gettext_lazy("is"),
    "is_not": gettext_lazy("is not"),
    "contains": gettext_lazy("contains"),
    "contains_not": gettext_lazy("does not contain"),
    "is_empty": gettext_lazy("is empty"),
    "is_filled": gettext_lazy("is filled in"),
}
_NAMED: Final[Mapping[str, tuple[Any, str]]] = {
    "team": (Team, "name"),
    "assignee": (User, "email"),
    "organization": (Organization, "name"),
    "plan": (Plan, "name"),
    "service": (Service, "name"),
}
# In the order in which they are offered.
_EVENTS: Final = {
    "conversation.opened": gettext_lazy("A conversation is opened"),
    "conversation.begun": gettext_lazy("We write to a customer first"),
    "message.received": gettext_lazy("A customer writes again"),
    "message.written": gettext_lazy("The customer is answered"),
    "message.taken_back": gettext_lazy("An answer is taken back"),
    "message.failed": gettext_lazy("A reply cannot be delivered"),
    "note.written": gettext_lazy("A note is written"),
    "conversation.idle": gettext_lazy("Nothing has happened for some hours"),
    "clock.warned": gettext_lazy("A promise is at risk"),
    "clock.breached": gettext_lazy("A promise is broken"),
    "conversation.assigned": gettext_lazy("A conversation is assigned"),
    "conversation.released": gettext_lazy("A conversation is given back to nobody"),
    "conversation.moved": gettext_lazy("A conversation goes to another team"),
    "conversation.prioritized": gettext_lazy("The priority changes"),
    "conversation.status_changed": gettext_lazy("The status changes"),
    "conversation.resolved": gettext_lazy("A conversation is resolved"),
    "conversation.reopened": gettext_lazy("A conversation is opened again"),
    "conversation.snoozed": gettext_lazy("A conversation is put off"),
    "conversation.woken": gettext_lazy("A conversation wakes"),
    "conversation.tagged": gettext_lazy("Tags change"),
    "conversation.services_named": gettext_lazy("Services change"),
    "conversation.filled_in": gettext_lazy("A custom field is filled in"),
    "conversation.renamed": gettext_lazy("The subject changes"),
    "conversation.merged": gettext_lazy("A conversation is merged into another one"),
    "conversation.marked_as_spam": gettext_lazy("It is marked as spam"),
    "conversation.cleared_of_spam": gettext_lazy("It is no spam after all"),
    "quote.sent": gettext_lazy("A quote is sent"),
    "quote.accepted": gettext_lazy("A quote is accepted"),
    "quote.declined": gettext_lazy("A quote is declined"),
    "quote.expired": gettext_lazy("A quote expires"),
    "quote.withdrawn": gettext_lazy("A quote is withdrawn"),
    "quote.upgrade_chosen": gettext_lazy("An upgrade is chosen with a quote"),
    "rating.asked": gettext_lazy("A customer is asked how it was"),
    "rating.given": gettext_lazy("A customer rates"),
}


def event_name(kind: str) -> str:
    return str(_EVENTS.get(kind, kind.replace(".", ": ").replace("_", " ").capitalize()))


def event_choices(kinds: Iterable[str]) -> list[tuple[str, str]]:
    """Events with their names, what happens most first; one without a name of its own comes last."""
    places = {kind: place for place, kind in enumerate(_EVENTS)}
    return [(kind, event_name(kind)) for kind in sorted(kinds, key=lambda kind: (places.get(kind, len(places)), kind))]


class ConditionPart(Part):
    """One condition; several values of which any will do stand with commas."""

    field = forms.ChoiceField(required=False, label=gettext_lazy("If"))
    operator = forms.ChoiceField(required=False, choices=list(_OPERATORS.items()), label=gettext_lazy("compared"))
    value = forms.CharField(
        required=False,
        max_length=4_000,
        label=gettext_lazy("With"),
        help_text=gettext_lazy("Several with commas, any will do. “none” is nobody or nothing."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [(f"{conditions.CUSTOM}{key}", name) for key, name in CustomField.objects.values_list("key", "name")]
        field = self.fields["field"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Always")), *_FIELDS.items(), *own]


def given_in(said: Mapping[str, Any]) -> dict[str, Any]:
    """A part's condition as `conditions.cleaned` takes it. Raises BadCondition."""
    name, operator = said["field"], said["operator"] or "is"
    if operator in ("is_empty", "is_filled"):
        return {"field": name, "operator": operator}
    words = [word.strip() for word in str(said["value"]).split(",") if word.strip()]
    return {"field": name, "operator": operator, "value": [_value(name, word) for word in words]}


def _value(name: str, word: str) -> Any:
    low = word.lower()
    if name in _NAMED and low != conditions.NONE:
        model, column = _NAMED[name]
        found = model._default_manager.filter(**{f"{column}__iexact": word}).values_list("pk", flat=True).first()
        if found is None:
            raise conditions.BadCondition(_("There is no %(name)s in “%(field)s”.") % {"name": word, "field": name})
        return found
    if name == "automatic":
        return {"yes": True, "true": True, "no": False, "false": False}.get(low, word)
    if name in ("status", "priority"):
        codes = Status.values if name == "status" else Priority.values
        names = {label.lower(): code for code in codes for label in (code, labels(get_language())[name][code])}
        return names.get(low, low)
    return low


def shown(condition: Mapping[str, Any]) -> dict[str, str]:
    """A condition as the initial values of a part."""
    name, values = condition["field"], condition.get("value", [])
    values = values if isinstance(values, list) else [values]
    if name in _NAMED:
        model, column = _NAMED[name]
        names = dict(model._default_manager.filter(pk__in=[v for v in values if v != "none"]).values_list("pk", column))
        values = [names.get(value, value) for value in values]
    elif name == "automatic":
        values = ["yes" if value else "no" for value in values]
    return {"field": name, "operator": condition["operator"], "value": ", ".join(map(str, values))}
