"""How an agent is told of what happens on the desk: kinds by ways, and quiet hours."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpdesk.customers.models import User
from tickets.desk import notices
from tickets.desk.models import NotificationChoice
from tickets.views.access import AgentRequest, viewers_too
from tickets.views.settings import generic
from tickets.views.settings.forms import SettingsForm

_KINDS = {
    notices.OPENED: gettext_lazy("A new conversation"),
    notices.MESSAGE: gettext_lazy("A customer writes in mine"),
    notices.MENTION: gettext_lazy("I am mentioned"),
    notices.ASSIGNMENT: gettext_lazy("One is given to me"),
    notices.RISK: gettext_lazy("One of mine is at risk"),
}
_WAYS = {
    notices.BADGE: gettext_lazy("Count"),
    notices.TOAST: gettext_lazy("Message"),
    notices.SOUND: gettext_lazy("Sound"),
    notices.PUSH: gettext_lazy("Push"),
    notices.MAIL: gettext_lazy("Mail"),
}


class AlertsForm(SettingsForm):
    sections = ((gettext_lazy("Quiet hours"), ("quiet_from", "quiet_until", "hides_text")),)
    quiet_from = forms.TimeField(
        required=False,
        label=gettext_lazy("From"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("No sound, push or mail then. In your own time zone."),
    )
    quiet_until = forms.TimeField(
        required=False,
        label=gettext_lazy("Until"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    hides_text = forms.BooleanField(
        required=False,
        label=gettext_lazy("Say that something happened, not what"),
        help_text=gettext_lazy("For pushes that others may see on your screen."),
    )

    def values(self, found: User) -> dict[str, Any]:
        kept = NotificationChoice.objects.filter(user=found).first()
        chosen = notices.choice(found, kept)
        given: dict[str, Any] = {kind: sorted(chosen.ways.get(kind, ())) for kind in notices.KINDS}
        if kept is not None:
            given |= {name: getattr(kept, name) for name in ("quiet_from", "quiet_until", "hides_text")}
        return given

    def arrange(self) -> None:
        for kind in notices.KINDS:
            self.fields[kind] = forms.MultipleChoiceField(
                choices=[(way, words) for way, words in _WAYS.items() if way in ways_of(kind)],
                required=False,
                label=_KINDS[kind],
                widget=forms.CheckboxSelectMultiple,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if not self.errors and (begins is None) != (ends is None):
            self.add_error(
                "quiet_until" if ends is None else "quiet_from", _("Quiet hours have a beginning and an end.")
            )
        return cleaned

    def table(self) -> Iterable[tuple[Any, list[tuple[str, str, bool, bool]]]]:
        """One row a kind; of each way its code, name, whether there is such a thing, whether it is ticked."""
        for kind in notices.KINDS:
            ticked = self.data.getlist(kind) if isinstance(self.data, QueryDict) else self.initial.get(kind, [])
            possible = ways_of(kind)
            yield kind, [(way, str(words), way in possible, way in ticked) for way, words in _WAYS.items()]

    def write(self, *, at: datetime) -> NotificationChoice:
        said = self.cleaned_data
        kept, _is_new = NotificationChoice.objects.update_or_create(
            user=self.found,
            defaults={
                "ways": {kind: sorted(said[kind]) for kind in notices.KINDS},
                "quiet_from": said["quiet_from"],
                "quiet_until": said["quiet_until"],
                "hides_text": said["hides_text"],
            },
        )
        return kept


def ways_of(kind: str) -> tuple[str, ...]:
    """The ways there are for this kind."""
    return tuple(way for way in notices.WAYS if way != notices.MAIL or kind not in notices.NO_MAIL)


@viewers_too
@require_http_methods(["GET", "HEAD", "POST"])
def alerts(request: AgentRequest) -> HttpResponse:
    form = AlertsForm(request, request.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        form.save(at=now())
        messages.success(request, _("Saved."))
        return redirect("tickets:settings_alerts")
    return generic.show_form(request, "alerts", form, template="alerts", ways=list(_WAYS.values()), kinds=_KINDS)


def routes() -> list[URLPattern]:
    return [path("desk/settings/alerts/", alerts, name="settings_alerts")]
