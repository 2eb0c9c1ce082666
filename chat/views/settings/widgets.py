"""Widgets: where they are, how they look, who may write in them, and the secrets their pages sign with."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from chat import colors, slack_threads, widget_editing
from chat.api_widgets import WidgetSerializer
from chat.models import Widget
from helpdesk.customers.models import Team, User
from helpdesk.desk import fields
from helpdesk.desk.areas import Act, Area, Row
from helpdesk.desk.forms import Refused, SerialForm, SettingsForm

CLOSED = (
    (Widget.Closed.MESSAGE, gettext_lazy("Take a message, and answer it by mail")),
    (Widget.Closed.HIDE, gettext_lazy("Hide the widget")),
)


class WidgetForm(SerialForm):
    serializer = WidgetSerializer
    sections = (
        ("", ("name", "team", "origins", "is_active")),
        (gettext_lazy("How it looks"), ("color", "greeting")),
        (gettext_lazy("Who may write"), ("only_verified", "asks_name", "asks_email", "needs_email")),
        (gettext_lazy("Besides"), ("when_closed", "sees_pages")),
    )
    name = forms.CharField(
        max_length=80, label=gettext_lazy("Name"), help_text=gettext_lazy("Your own word for it, such as the site.")
    )
    team = forms.ModelChoiceField(
        Team.objects.all(), required=False, label=gettext_lazy("Goes to"), empty_label=gettext_lazy("No team")
    )
    origins = fields.LinesField(
        required=False,
        label=gettext_lazy("Pages it may be on"),
        help_text=gettext_lazy("Origins such as https://www.example.com, one a line; none means any."),
    )
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Switched on"))
    color = forms.CharField(
        label=gettext_lazy("Colour"),
        initial="#2f55d4",
        max_length=7,
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=gettext_lazy("Where text could not be read on it, a darker shade is shown."),
    )
    greeting = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Greeting"),
        help_text=gettext_lazy("The first words in the panel."),
    )
    only_verified = forms.BooleanField(
        required=False,
        label=gettext_lazy("Only users whom the page has signed for"),
        help_text=gettext_lazy("Others see that they have to log in first."),
    )
    asks_name = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Ask strangers for their name"))
    asks_email = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Ask strangers for their address"))
    needs_email = forms.BooleanField(
        required=False,
        label=gettext_lazy("Nobody writes without an address"),
        help_text=gettext_lazy("Else the panel asks for it later, before they leave."),
    )
    when_closed = forms.ChoiceField(choices=CLOSED, label=gettext_lazy("While nobody is there"))
    sees_pages = forms.BooleanField(
        required=False,
        label=gettext_lazy("Show agents which page the visitor is on"),
        help_text=gettext_lazy("Off for browsers that ask not to be tracked."),
    )


class Widgets(Area):
    key, model, form = "widgets", Widget, WidgetForm
    order = ("name", "id")
    add_words = gettext_lazy("Add widget")
    empty = (
        gettext_lazy("No widget yet"),
        gettext_lazy("A widget lets people chat with you from your own pages: one line of HTML."),
    )
    remove_words = gettext_lazy(
        "Pages that name its key show nothing any more. One that was chatted in stays: switch it off."
    )
    template = "settings/widget.jinja"

    def rows(self, user: User) -> QuerySet[Widget]:
        return Widget.objects.select_related("team").annotate(signs=Count("secrets"))

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [] if found.is_active else [(_("Switched off"), "")]
        team = found.team.name if found.team else _("No team")
        where = ", ".join(origin.partition("://")[2] for origin in found.origins[:3]) or _("any page")
        signs = ngettext("%(count)s secret", "%(count)s secrets", found.signs) % {"count": found.signs}
        return Row(found.pk, found.name, " · ".join((found.key, team, where, signs)), marks, "message-circle")

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse(self.name_of("edit"), args=[found.pk])

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        if found is None:
            return {"secrets": [], "look": None, "snippet": "", "policy": "", "slack_trouble": ""}
        return {
            "secrets": list(found.secrets.order_by("pk")),
            "look": colors.readable(found.color),
            "snippet": widget_editing.snippet(found),
            "policy": widget_editing.policy(),
            "slack_trouble": slack_threads.trouble(found),
        }


def _add(widget: Widget, user: User, sent: Mapping[str, str], at: datetime) -> str:
    try:
        return widget_editing.add_secret(widget, sent.get("kid", "")[:60], user, at=at)
    except widget_editing.CannotChange as error:
        raise Refused(str(error)) from error


def _rotate(widget: Widget, user: User, sent: Mapping[str, str], at: datetime) -> str:
    return widget_editing.rotate_secret(widget, user, at=at)[1]


def _take(widget: Widget, user: User, sent: Mapping[str, str], at: datetime) -> str:
    try:
        widget_editing.remove_secret(widget, sent.get("kid", "")[:60], user, at=at)
    except widget_editing.CannotChange as error:
        raise Refused(str(error)) from error
    return ""


Widgets.acts = (
    Act("secret", _add, ""),
    Act("rotation", _rotate, ""),
    Act("secret_removal", _take, gettext_lazy("The secret is removed: what it signs holds no more.")),
)
WIDGETS = Widgets()
