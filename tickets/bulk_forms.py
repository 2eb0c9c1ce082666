"""What agents ask for many conversations at once, checked."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.conversations.handling import UNSET, Changes
from helpdesk.conversations.models import Priority, Status
from helpdesk.conversations.visibility import visible_teams
from helpdesk.customers.models import User
from helpdesk.numbers import is_number, whole_number
from tickets.desk import bulk, kept, snoozing, variables
from tickets.desk.models import Macro
from tickets.forms import AFTER_REPLY, MAX_TEXT, agent_named

NONE, ME = "none", "me"
WAKE = "wake"


class BulkForm(forms.Form):
    """Every field may be left empty: what is empty is left as it is."""

    client_id = forms.UUIDField()
    assignee = forms.CharField(required=False, max_length=20)
    # By name, where there are too many to list.
    assignee_name = forms.CharField(required=False, max_length=254)
    team = forms.CharField(required=False, max_length=20)
    priority = forms.ChoiceField(choices=[("", ""), *Priority.choices], required=False)
    status = forms.ChoiceField(
        choices=[("", ""), *[choice for choice in Status.choices if choice[0] != Status.NEW]], required=False
    )
    add_tags = forms.CharField(required=False, max_length=2000)
    remove_tags = forms.CharField(required=False, max_length=2000)
    snooze = forms.CharField(required=False, max_length=20)
    snooze_at = forms.CharField(required=False, max_length=40)
    spam = forms.ChoiceField(choices=[("", ""), ("yes", "yes"), ("no", "no")], required=False)
    reply = forms.CharField(required=False, max_length=MAX_TEXT, strip=False)
    then = forms.ChoiceField(choices=[("", ""), *[(status, status) for status in AFTER_REPLY]], required=False)
    macro = forms.CharField(required=False, max_length=20)

    def __init__(self, *args: Any, user: User, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.at = user, at

    def clean_assignee(self) -> Any:
        given = self.cleaned_data["assignee"]
        if given in ("", NONE):
            return UNSET if not given else None
        if given == ME:
            return self.user
        found = User.objects.filter(is_active=True, pk=int(given)).first() if is_number(given) else None
        if found is None:
            raise forms.ValidationError(_("There is no such agent."))
        return found

    def clean_assignee_name(self) -> User | None:
        return agent_named(self.cleaned_data["assignee_name"])

    def clean_team(self) -> Any:
        given = self.cleaned_data["team"]
        if given in ("", NONE):
            return UNSET if not given else None
        found = visible_teams(self.user).filter(pk=int(given)).first() if is_number(given) else None
        if found is None:
            raise forms.ValidationError(_("There is no such team."))
        return found

    def clean_macro(self) -> Macro | None:
        given = self.cleaned_data["macro"]
        found = kept.seen_by(self.user, Macro).filter(pk=whole_number(given)).first() if given else None
        if given and found is None:
            raise forms.ValidationError(_("There is no such macro."))
        return found

    def clean_add_tags(self) -> tuple[str, ...]:
        return _tags(self.cleaned_data["add_tags"])

    def clean_remove_tags(self) -> tuple[str, ...]:
        return _tags(self.cleaned_data["remove_tags"])

    def clean_reply(self) -> str:
        text = str(self.cleaned_data["reply"])
        try:
            return variables.check(text)
        except variables.UnknownVariable as error:
            raise forms.ValidationError(
                _("%(what)s is nothing that can be filled in."), params={"what": error.args[0]}
            ) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        chosen, typed = cleaned.get("snooze", ""), cleaned.get("snooze_at", "")
        if chosen == WAKE:
            cleaned["until"] = None
        elif chosen or typed:
            until = snoozing.until(chosen or "custom", typed, self.at, timezone.get_current_timezone())
            if until is None:
                self.add_error("snooze_at", _("Choose a time to come, within a year."))
            cleaned["until"] = until
        return cleaned

    def asked(self) -> bulk.Asked:
        """Call after is_valid()."""
        said = self.cleaned_data
        given: dict[str, Any] = {"assignee": said["assignee_name"] or said["assignee"], "team": said["team"]}
        given |= {name: said[name] for name in ("priority", "status") if said[name]}
        if "until" in said:
            given["snoozed_until"] = said["until"]
        if said["spam"]:
            given["is_spam"] = said["spam"] == "yes"
        return bulk.Asked(
            Changes(**given), said["add_tags"], said["remove_tags"], said["reply"], said["then"], said["macro"]
        )


def _tags(text: str) -> tuple[str, ...]:
    return tuple(sorted({tag.strip().lower()[:80] for tag in text.split(",") if tag.strip()}))[:50]
