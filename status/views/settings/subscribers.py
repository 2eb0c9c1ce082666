"""Who is told of the status page's updates: found, added, changed, removed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.desk.named import NamedManyField
from helpdesk.events.actors import Actor
from helpdesk.events.secrets import decrypt
from status import distributing, subscribing
from status.models import Component, Distribution, Subscriber
from status.subscribing import NotAnAddress, Wishes

KINDS = (
    (Subscriber.Kind.EMAIL, gettext_lazy("E-mail")),
    (Subscriber.Kind.WEBHOOK, gettext_lazy("Webhook")),
    (Subscriber.Kind.SLACK, gettext_lazy("Slack channel")),
    (Subscriber.Kind.TELEGRAM, gettext_lazy("Telegram chat")),
)
ICONS = {"email": "mail", "webhook": "webhook", "slack": "message-square", "telegram": "send"}
NETWORKS = {"x": "X", "facebook": "Facebook", "mastodon": "Mastodon", "bluesky": "Bluesky"}
_STATUSES: Mapping[str, tuple[Any, str]] = {
    Subscriber.Status.PENDING: (gettext_lazy("Not confirmed"), ""),
    Subscriber.Status.ENDED: (gettext_lazy("Unsubscribed"), ""),
    Subscriber.Status.SUSPENDED: (gettext_lazy("Comes back"), "bad"),
}


class SubscriberForm(SettingsForm):
    kind = forms.ChoiceField(choices=KINDS, label=gettext_lazy("How"))
    address = forms.CharField(
        max_length=2048,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("An e-mail address, a webhook's URL, a Slack channel's id, a Telegram chat's id."),
    )
    components = NamedManyField(
        Component.objects.all(),
        required=False,
        label=gettext_lazy("Told of"),
        help_text=gettext_lazy("Components or groups, one a line; none means everything."),
    )
    only_own = forms.BooleanField(
        required=False,
        label=gettext_lazy("Only what affects services of their company"),
        help_text=gettext_lazy("For addresses of known customers."),
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=gettext_lazy("Language"))
    is_confirmed = forms.BooleanField(
        required=False,
        label=gettext_lazy("They have agreed already"),
        help_text=gettext_lazy("Otherwise an e-mail address or a webhook is asked to confirm first."),
    )

    def values(self, found: Any) -> dict[str, Any]:
        if found is None:
            return {"language": "en"}
        chosen = list(found.components.values_list("pk", flat=True))
        return {
            **{name: getattr(found, name) for name in ("kind", "address", "only_own", "language")},
            "components": chosen,
        }

    def arrange(self) -> None:
        if self.found is not None:
            del self.fields["is_confirmed"]
            for name in ("kind", "address"):
                self.fields[name].disabled = True

    def write(self, *, at: datetime) -> Subscriber:
        given, user = self.cleaned_data, self.request.user
        assert isinstance(user, User), "the settings are the admin's"
        wishes = Wishes([one.pk for one in given["components"]] or None, given["only_own"], given["language"])
        if isinstance(self.found, Subscriber):
            subscribing.change(self.found, wishes)
            self.found.refresh_from_db()
            return self.found
        try:
            made = subscribing.add(
                given["kind"],
                given["address"],
                wishes,
                is_confirmed=given["is_confirmed"],
                actor=Actor.agent(user),
                at=at,
            )
        except NotAnAddress as error:
            raise Refused(_("We send nothing there: %(why)s.") % {"why": error}, "address") from error
        if made.kind == Subscriber.Kind.WEBHOOK and made.status == Subscriber.Status.ACTIVE:
            self.shown_once = decrypt(made.secret)
        return made


class Subscribers(Area):
    key, model, form = "subscribers", Subscriber, SubscriberForm
    order = ("-id",)
    searches = ("address",)
    add_words = gettext_lazy("Add subscriber")
    empty = (
        gettext_lazy("Nobody is told yet"),
        gettext_lazy("Customers subscribe themselves on the status page; chats are added here."),
    )
    remove_words = gettext_lazy("They are told nothing more, and are forgotten altogether.")
    template = "settings/subscriber.jinja"

    def rows(self, user: User) -> QuerySet[Subscriber]:
        return Subscriber.objects.select_related("customer__organization").prefetch_related("components")

    def row(self, found: Any, user: User) -> Row:
        marks = [_STATUSES[found.status]] if found.status in _STATUSES else []
        if found.kind not in distributing.connected_kinds():
            marks.append((_("Not connected"), "bad"))
        told = ", ".join(one.name for one in list(found.components.all())[:3]) or _("Everything")
        whose = str(found.customer.organization or found.customer) if found.customer is not None else ""
        trouble = found.trouble if found.status == Subscriber.Status.SUSPENDED else ""
        meta = " · ".join(filter(None, (told, _("only own services") if found.only_own else "", whose, trouble)))
        return Row(found.pk, found.address, meta, marks, ICONS[found.kind])

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        """What can be reached at all, and what the latest updates have come to."""
        connected = distributing.connected_kinds()
        latest = Distribution.objects.select_related("update__incident").order_by("-pk")[:5]
        progress = distributing.progress([one.update_id for one in latest], at=now())
        return {
            "kinds": [(words, kind in connected) for kind, words in KINDS],
            "networks": [(NETWORKS.get(name, name), is_on) for name, is_on in distributing.announced_on().items()],
            "latest": [(one.update, progress[one.update_id]) for one in latest],
        }


SUBSCRIBERS = Subscribers()
