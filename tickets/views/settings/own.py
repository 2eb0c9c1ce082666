"""What everybody on the desk sets for themselves: profile, how pages reach them, API tokens."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpdesk.customers import actions as customers
from helpdesk.customers.models import ApiToken, User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import SerialForm, SettingsForm
from helpdesk.events.actors import Actor
from helpdesk.oncall.api_escalation import NotificationRuleSerializer
from helpdesk.oncall.channels import pagers
from helpdesk.oncall.models import NotificationRule, Urgency
from helpdesk.people import actions as people
from helpdesk.sla.week import InvalidHours, read_zone
from tickets.views.access import AgentRequest, viewers_too
from tickets.views.settings import generic

_CHANNELS = {
    "email": gettext_lazy("E-mail"),
    "slack": "Slack",
    "pagerduty": "PagerDuty",
    "sms": "SMS",
    "voice": gettext_lazy("Phone call"),
    "telegram": "Telegram",
}
_URGENCIES = {Urgency.HIGH.value: gettext_lazy("High"), Urgency.LOW.value: gettext_lazy("Low")}


class ProfileForm(SettingsForm):
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"), help_text=gettext_lazy("Customers see it."))
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=gettext_lazy("Language"))
    timezone = fields.zone_field(help_text=gettext_lazy("Every time on the desk is shown in it."))
    notify_by_email = forms.BooleanField(
        required=False,
        label=gettext_lazy("Mail me what customers write in my conversations"),
        help_text=gettext_lazy("You may answer by mail."),
    )

    single_keys = forms.BooleanField(
        required=False,
        label=gettext_lazy("Single letters are keys"),
        help_text=gettext_lazy("j and k, r to reply … Switch it off where you dictate or type by accident."),
    )

    def clean_timezone(self) -> str:
        zone = str(self.cleaned_data["timezone"])
        try:
            read_zone(zone)
        except InvalidHours as error:
            raise forms.ValidationError(_("This is not a time zone such as Europe/Berlin.")) from error
        return zone

    def write(self, *, at: datetime) -> User:
        assert isinstance(self.found, User), "a profile is somebody's"
        return people.save_agent(self.found, self.cleaned_data, actor=Actor.agent(self.found), at=at)


@viewers_too
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: AgentRequest) -> HttpResponse:
    me = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request, me, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        form.save(at=now())
        messages.success(request, _("Saved."))
        return redirect("tickets:settings_profile")
    return generic.show_form(request, "profile", form)


class NotificationForm(SerialForm):
    serializer = NotificationRuleSerializer
    sections = (
        ("", ("urgency", "channel", "to", "minutes")),
        (gettext_lazy("Quiet hours, for low urgency"), ("quiet_from", "quiet_until")),
    )
    urgency = forms.ChoiceField(choices=list(_URGENCIES.items()), label=gettext_lazy("For pages of urgency"))
    channel = forms.ChoiceField(label=gettext_lazy("By"))
    to = forms.CharField(
        required=False,
        max_length=320,
        label=gettext_lazy("Where"),
        help_text=gettext_lazy("Empty: your address, or the channel's usual place."),
    )
    minutes = forms.IntegerField(
        min_value=0, max_value=1440, initial=0, label=gettext_lazy("After how many minutes without an answer")
    )
    quiet_from = forms.TimeField(
        required=False,
        label=gettext_lazy("From"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("In your own time zone."),
    )
    quiet_until = forms.TimeField(
        required=False,
        label=gettext_lazy("Until"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def arrange(self) -> None:
        field = self.fields["channel"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, _CHANNELS.get(name, name.capitalize())) for name in sorted(pagers())]

    def values(self, found: Any) -> dict[str, Any]:
        given = super().values(found)
        return {**given, "minutes": given["delay_seconds"] // 60} if found else given

    def payload(self) -> dict[str, Any]:
        given = super().payload()
        return {**given, "delay_seconds": given.pop("minutes") * 60}


class Notifications(Area):
    key, model, form = "notifications", NotificationRule, NotificationForm
    order = ("id",)
    is_own = viewers_send = True
    add_words = gettext_lazy("Add a way")
    empty = (
        gettext_lazy("By e-mail, at once"),
        gettext_lazy("That is how a page reaches you now. Add Slack or PagerDuty, a delay, or quiet hours."),
    )
    remove_words = gettext_lazy("Pages no longer reach you this way.")

    def rows(self, user: User) -> QuerySet[NotificationRule]:
        return NotificationRule.objects.filter(user=user)

    def row(self, found: Any, user: User) -> Row:
        minutes = found.delay_seconds // 60
        when = _("after %s min") % minutes if minutes else _("at once")
        quiet = f"{_('quiet')} {found.quiet_from:%H:%M}–{found.quiet_until:%H:%M}" if found.quiet_from else ""
        title = f"{_CHANNELS.get(found.channel, found.channel)}, {when}"
        tone = "bad" if found.urgency == Urgency.HIGH else ""
        meta = " · ".join(filter(None, [found.to, quiet]))
        return Row(found.pk, title, meta, [(_URGENCIES[found.urgency], tone)], "bell-ring")


class TokenForm(SettingsForm):
    name = forms.CharField(
        max_length=80,
        label=gettext_lazy("What is it for"),
        help_text=gettext_lazy("It may do whatever you may, until you revoke it."),
    )

    def write(self, *, at: datetime) -> ApiToken:
        self.shown_once = customers.create_token(self._user(), self.cleaned_data["name"], at=at)
        return ApiToken.objects.get(digest=customers.digest(self.shown_once))

    def _user(self) -> User:
        assert isinstance(self.request.user, User), "agent_view"
        return self.request.user


class Tokens(Area):
    key, model, form = "tokens", ApiToken, TokenForm
    order = ("-id",)
    is_own = viewers_send = True
    edits = False
    add_words = gettext_lazy("Create token")
    empty = (
        gettext_lazy("No token yet"),
        gettext_lazy("A key for a script that acts in your name. It is shown once, when you create it."),
    )
    remove_words = gettext_lazy("Whatever uses it stops working at once.")
    remove_button = gettext_lazy("Revoke")

    def rows(self, user: User) -> QuerySet[ApiToken]:
        return ApiToken.objects.filter(user=user, revoked_at=None)

    def row(self, found: Any, user: User) -> Row:
        return Row(found.pk, str(found), _("created on %s") % f"{found.created_at:%Y-%m-%d}", [], "key-round")

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        found.revoked_at = at
        found.save(update_fields=["revoked_at"])


AREAS = (Notifications(), Tokens())


def routes() -> list[URLPattern]:
    return [path("desk/settings/profile/", profile, name="settings_profile")]
