"""Webhooks: whom we tell, what of, and what became of it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from helpdesk.customers import audit
from helpdesk.customers.models import User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import SerialForm, SettingsForm
from helpdesk.events import webhooks
from helpdesk.events.api import WebhookSerializer
from helpdesk.events.models import Webhook, WebhookDelivery
from helpdesk.numbers import whole_number
from tickets.views.access import AgentRequest
from tickets.views.settings import generic
from tickets.views.settings.conditions_form import event_choices

SHOWN = 50


class WebhookForm(SerialForm):
    serializer = WebhookSerializer
    sections = (
        ("", ("name", "url", "is_active", "includes_private")),
        (gettext_lazy("What it is told of"), ("kinds",)),
    )
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    url = forms.CharField(
        max_length=2_048,
        label=gettext_lazy("Address"),
        widget=forms.URLInput(),
        help_text=gettext_lazy("https://… We post JSON there, signed as Standard Webhooks say."),
    )
    kinds = forms.MultipleChoiceField(label=gettext_lazy("Events"), widget=forms.CheckboxSelectMultiple)
    includes_private = forms.BooleanField(required=False, label=gettext_lazy("Also conversations of private teams"))
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Switched on"))

    def arrange(self) -> None:
        field = self.fields["kinds"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = event_choices(webhooks.kinds())

    def write(self, *, at: Any) -> Webhook:
        saved: Webhook = super().write(at=at)
        self.shown_once = getattr(saved, "shown_secret", "")
        return saved


class Webhooks(Area):
    key, model, form = "webhooks", Webhook, WebhookForm
    order = ("name", "id")
    add_words = gettext_lazy("Add webhook")
    empty = (
        gettext_lazy("No webhook yet"),
        gettext_lazy("Tell another system what happens here: a chat room, a script, a dashboard."),
    )
    remove_words = gettext_lazy("It is told nothing any more, and the list of what it was told goes.")
    template = "settings/webhook.jinja"

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [] if found.is_active else [(_("Switched off"), "")]
        if found.trouble:
            marks.append((_("Fails"), "bad"))
        return Row(found.pk, found.name, f"{found.url[:80]} · {', '.join(found.kinds[:4])}", marks, "webhook")

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse("tickets:settings_webhooks_edit", args=[found.pk])

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        told = found.deliveries.order_by("-id").defer("body")[:SHOWN] if found else []
        return {"deliveries": list(told)}

    def more_routes(self) -> Iterable[URLPattern]:
        base, name = "desk/settings/webhooks/<int:pk>/", "settings_webhooks_"
        yield path(f"{base}test/", generic.guarded(self, _test), name=f"{name}test")
        yield path(f"{base}rotation/", generic.guarded(self, _rotate), name=f"{name}rotation")
        yield path(f"{base}replay/", generic.guarded(self, _replay), name=f"{name}replay")


WEBHOOKS = Webhooks()


@require_POST
def _test(request: AgentRequest, pk: int) -> HttpResponse:
    webhook = generic.row_or_404(WEBHOOKS, request, pk)
    try:
        webhooks.send_test(webhook, at=now())
    except webhooks.NotActive:
        messages.error(request, _("It is switched off: switch it on first."))
    else:
        messages.success(request, _("A test is on its way; below you see what became of it."))
    return redirect("tickets:settings_webhooks_edit", pk)


@require_POST
def _rotate(request: AgentRequest, pk: int) -> HttpResponse:
    """A new secret, shown once. For a day the old one signs as well."""
    webhook, at = generic.row_or_404(WEBHOOKS, request, pk), now()
    with transaction.atomic():
        secret = webhooks.give_secret(webhook, at=at)
        webhook.save(update_fields=["secret", "old_secret", "old_secret_until"])
        audit.record(request.user.pk, "rotated", webhook, {}, {}, at=at)
    answer = generic.show(request, "secret", "webhooks", area=WEBHOOKS, found=webhook, secret=secret)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def _replay(request: AgentRequest, pk: int) -> HttpResponse:
    number = whole_number(request.POST.get("delivery", ""))
    told = get_object_or_404(WebhookDelivery.objects.only("pk"), pk=number, webhook=pk)
    try:
        webhooks.replay(told.pk, at=now())
    except webhooks.NotActive:
        messages.error(request, _("It is switched off: switch it on first."))
    except webhooks.StillWaiting:
        messages.info(request, _("This one is still being tried."))
    else:
        messages.success(request, _("Sent once more."))
    return redirect("tickets:settings_webhooks_edit", pk)


AREAS = (WEBHOOKS,)
