"""Monitoring systems that may tell us of trouble: what they may do, and the address they send it to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from helpdesk.customers import audit
from helpdesk.customers.models import User
from helpdesk.desk.areas import Act, Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from status.models import SignalSource
from status.signals import sources

KINDS = (
    (SignalSource.Kind.ALERTMANAGER.value, "Prometheus Alertmanager"),
    (SignalSource.Kind.GRAFANA.value, "Grafana"),
    (SignalSource.Kind.NAGIOS.value, "Nagios, Icinga"),
    (SignalSource.Kind.GENERIC.value, gettext_lazy("Anything else")),
)
MODES = (
    (SignalSource.Mode.PROPOSE.value, gettext_lazy("Propose an incident to agents")),
    (SignalSource.Mode.OPEN.value, gettext_lazy("Open an incident by itself")),
)


class SourceForm(SettingsForm):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    kind = forms.ChoiceField(choices=KINDS, label=gettext_lazy("What sends"))
    mode = forms.ChoiceField(choices=MODES, label=gettext_lazy("May"))
    holds_seconds = forms.IntegerField(
        min_value=0, max_value=86_400, initial=120, label=gettext_lazy("Must last, in seconds"),
        help_text=gettext_lazy("What is over sooner, or comes and goes, is only written down."),
    )  # fmt: skip
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Switched on"))

    def arrange(self) -> None:
        if self.found is None:
            del self.fields["is_active"]

    def write(self, *, at: datetime) -> SignalSource:
        given = self.cleaned_data
        taken = SignalSource.objects.filter(name=given["name"])
        if taken.exclude(pk=self.found.pk if self.found else 0).exists():
            raise Refused(_("There is a source of this name."), "name")
        if self.found is None:
            made, token = sources.create(
                given["name"], given["kind"], mode=given["mode"], holds_seconds=given["holds_seconds"], at=at
            )
            self.shown_once = sources.address(token)
            return made
        for name, value in given.items():
            setattr(self.found, name, value)
        self.found.save(update_fields=list(given))
        found: SignalSource = self.found
        return found


def _renew(source: SignalSource, user: User, sent: Mapping[str, str], at: datetime) -> str:
    audit.record(user.pk, "rotated", source, {}, {}, at=at)
    return sources.address(sources.renew_token(source))


class Sources(Area):
    key, model, form = "signals", SignalSource, SourceForm
    searches = ("name",)
    add_words = gettext_lazy("Add source")
    empty = (
        gettext_lazy("No source yet"),
        gettext_lazy("Alertmanager, Grafana, Nagios or a script can tell of trouble before a customer does."),
    )
    remove_words = gettext_lazy("What it sends is refused from now on. Incidents that it opened stay.")
    template = "settings/signal_source.jinja"
    acts = (Act("renewal", _renew, ""),)

    def rows(self, user: User) -> QuerySet[SignalSource]:
        return SignalSource.objects.annotate(firing=Count("signals", filter=Q(signals__is_firing=True)))

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [] if found.is_active else [(_("Switched off"), "")]
        if found.firing:
            words = ngettext("%(count)s goes on", "%(count)s go on", found.firing) % {"count": found.firing}
            marks.append((words, "bad"))
        return Row(found.pk, found.name, f"{found.get_kind_display()} · {dict(MODES)[found.mode]}", marks, "gauge")

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        return {"signals": list(found.signals.order_by("-turned_at")[:20]) if found else []}


SOURCES = Sources()
