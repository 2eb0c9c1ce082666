"""The short forms of the first-run wizard. Each writes through the same actions as the settings' own pages."""

from datetime import datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db import connection
from django.utils.dates import WEEKDAYS
from django.utils.timezone import localdate
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from holidays import list_supported_countries

from helpdesk.conversations.models import Priority
from helpdesk.customers import audit
from helpdesk.customers.models import Plan, Team, User
from helpdesk.desk import fields
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.embedded.setup_token import fits
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.oncall import escalation_editing, rota_editing
from helpdesk.oncall.models import EscalationPolicy, Layer, Schedule
from helpdesk.people import actions as people
from helpdesk.sla import calendars, policies
from helpdesk.sla.models import Calendar, Policy, Target
from helpdesk.sla.week import WEEKDAYS as KEYS
from helpdesk.sla.week import InvalidHours, read_zone
from tickets.mail import mailbox_editing
from tickets.models import Mailbox

_LOCK: Final = 0x5E70
_GOALS: Final = {"urgent": 30, "high": 240, "normal": 720, "low": 2160}
_DISPATCH_MINUTES: Final = 60
_TIME: Final[Any] = {"widget": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")}


class FirstAdminForm(SettingsForm):
    """The first admin; only while there is nobody, and only for who has read the link in the terminal."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Your name"))
    email = forms.EmailField(max_length=254, label=gettext_lazy("Your e-mail"))
    password = forms.CharField(
        max_length=1000,
        strip=False,
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
    )
    timezone = fields.zone_field(initial=settings.OFFICE_TIME_ZONE)
    token = forms.CharField(
        max_length=100,
        label=gettext_lazy("Setup word"),
        help_text=gettext_lazy("It stands in the terminal where the helpdesk was started."),
    )

    def clean_token(self) -> str:
        given = str(self.cleaned_data["token"]).strip()
        if not fits(given, settings.SECRET_KEY):
            raise forms.ValidationError(_("This is not the setup word of this installation."))
        return given

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password)
        return password

    def clean_timezone(self) -> str:
        return _known_zone(self.cleaned_data["timezone"])

    def write(self, *, at: datetime) -> User:
        with connection.cursor() as cursor:
            # Two who hold the link at once must not both become the first.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if User.objects.exists():
            raise Refused(_("Somebody was faster: there is an admin already."))
        given = {name: self.cleaned_data[name] for name in ("name", "email", "password", "timezone")}
        given["language"] = get_language() or settings.LANGUAGE_CODE
        return people.save_agent(User(role=User.Role.ADMIN), given, actor=SYSTEM, at=at)


class MailboxStep(SettingsForm):
    address = forms.EmailField(
        max_length=320,
        label=gettext_lazy("The address customers write to"),
        help_text=gettext_lazy("Such as support@company.example. You forward its mail here, or have it fetched."),
    )
    name = forms.CharField(max_length=120, label=gettext_lazy("Name your answers come from"))

    def write(self, *, at: datetime) -> Mailbox:
        team = Team.objects.order_by("pk").first()
        given = {**self.cleaned_data, "team": team, "priority": Priority.NORMAL}
        try:
            return mailbox_editing.save_mailbox(Mailbox(), given)
        except mailbox_editing.Refused as error:
            raise Refused(str(error), error.field) from error


class TeamStep(SettingsForm):
    name = forms.CharField(max_length=80, initial=gettext_lazy("Support"), label=gettext_lazy("Your team's name"))
    colleagues = fields.LinesField(
        required=False,
        label=gettext_lazy("Invite colleagues"),
        help_text=gettext_lazy("E-mail addresses, one a line. Each is mailed a link to choose a password."),
    )

    def clean_colleagues(self) -> list[str]:
        addresses: list[str] = self.cleaned_data["colleagues"]
        for address in addresses:
            forms.EmailField(max_length=254).clean(address)
        return addresses

    def write(self, *, at: datetime) -> Team:
        user = self.request.user
        assert isinstance(user, User), "admin_view"
        team = Team.objects.create(name=self.cleaned_data["name"])
        team.members.add(user)
        for address in dict.fromkeys(self.cleaned_data["colleagues"]):
            try:
                name = address.partition("@")[0].replace(".", " ").title()
                people.invite_agent(address, name, teams=[team], actor=Actor.agent(user), at=at)
            except people.AlreadyAgent as error:
                raise Refused(_("%s is an agent already.") % address, "colleagues") from error
        Mailbox.objects.filter(team=None).update(team=team)
        return team


class HoursStep(SettingsForm):
    sections = (
        (gettext_lazy("When you are there"), ("days", "start", "end", "timezone", "country")),
        (gettext_lazy("How soon you answer"), tuple(_GOALS)),
    )
    days = forms.MultipleChoiceField(
        choices=[(key, WEEKDAYS[number]) for number, key in enumerate(KEYS)],
        initial=KEYS[:5],
        label=gettext_lazy("Open on"),
        widget=forms.CheckboxSelectMultiple,
    )
    start = forms.TimeField(initial=time(8), label=gettext_lazy("From"), **_TIME)
    end = forms.TimeField(
        initial=time(18),
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("The same time twice is all day."),
        **_TIME,
    )
    timezone = fields.zone_field(initial=settings.OFFICE_TIME_ZONE)
    country = forms.ChoiceField(
        required=False, label=gettext_lazy("Closed on the public holidays of"), help_text=gettext_lazy("More later.")
    )
    urgent = fields.DurationField(initial=_GOALS["urgent"], label=gettext_lazy("Urgent"))
    high = fields.DurationField(initial=_GOALS["high"], label=gettext_lazy("High"))
    normal = fields.DurationField(initial=_GOALS["normal"], label=gettext_lazy("Normal"))
    low = fields.DurationField(
        initial=_GOALS["low"], label=gettext_lazy("Low"), help_text=gettext_lazy("Counted in opening hours only.")
    )

    def arrange(self) -> None:
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("None")),
            *((code, code) for code in sorted(list_supported_countries(include_aliases=False))),
        ]

    def clean_timezone(self) -> str:
        return _known_zone(self.cleaned_data["timezone"])

    def write(self, *, at: datetime) -> Plan:
        """The office's calendar, a policy on it and the default plan."""
        said = self.cleaned_data
        start, end = f"{said['start']:%H:%M}", f"{said['end']:%H:%M}"
        spans = [["00:00", "24:00"]] if start == end else [[start, end]]
        try:
            calendar = calendars.create_calendar(
                _("Office hours"), said["timezone"], dict.fromkeys(said["days"], spans), at=at, is_office=True
            )
            if said["country"]:
                years = range(at.year, at.year + calendars.YEARS_AHEAD + 1)
                calendars.import_holidays(calendar, said["country"], "", years, at=at)
                calendar.refresh_from_db()
            policy = policies.save_policy(
                Policy(), at=at, name=_("Standard"), calendar=calendar, goals=self._goals(said)
            )
        except InvalidHours as error:
            raise Refused(str(error)) from error
        return Plan.objects.create(
            name=_("Standard"), policy=policy, support_hours=calendar, is_default=not Plan.objects.exists()
        )

    def _goals(self, said: dict[str, Any]) -> list[policies.GoalGiven]:
        goals = []
        for priority in _GOALS:
            first = said[priority] * 60
            goals.append(policies.GoalGiven(Target.DISPATCH, priority, min(first, _DISPATCH_MINUTES * 60)))
            goals.append(policies.GoalGiven(Target.FIRST_RESPONSE, priority, first))
            goals.append(policies.GoalGiven(Target.NEXT_RESPONSE, priority, first))
        return goals


class OnCallStep(SettingsForm):
    members = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True),
        label=gettext_lazy("Who takes turns, week by week"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Pages reach whoever has the week: by e-mail now, by Slack or PagerDuty later."),
    )
    handoff = forms.TimeField(initial=time(9), label=gettext_lazy("Handed over on Mondays at"), **_TIME)
    then = forms.ModelChoiceField(
        User.objects.filter(is_active=True), label=gettext_lazy("After ten minutes without an answer, call")
    )

    def arrange(self) -> None:
        self.initial.setdefault("members", [self.request.user.pk])
        self.initial.setdefault("then", self.request.user.pk)

    def write(self, *, at: datetime) -> Schedule:
        user, said, today = self.request.user, self.cleaned_data, localdate()
        assert isinstance(user, User), "admin_view"
        layer = rota_editing.LayerGiven(
            position=1,
            rotation=Layer.Rotation.WEEKLY,
            turn=1,
            starts_on=today - timedelta(days=today.weekday()),
            handoff=said["handoff"],
            restrictions=[],
            members=list(said["members"]),
        )
        schedule = rota_editing.save_schedule(
            Schedule(),
            name=_("On call"),
            timezone=user.timezone,
            fallback=said["then"],
            at=at,
            actor=Actor.agent(user),
            layers=[layer],
        )
        steps = [
            escalation_editing.StepGiven(schedule, None, 600),
            escalation_editing.StepGiven(None, said["then"], 600),
        ]
        policy = escalation_editing.save_escalation_policy(
            EscalationPolicy(), name=_("On call"), repeats=None, is_default=True, steps=steps
        )
        audit.record(user.pk, "created", policy, {}, audit.stored(policy, "steps"), at=at)
        return schedule


def _known_zone(name: Any) -> str:
    try:
        read_zone(name)
    except InvalidHours as error:
        raise forms.ValidationError(_("This is not a time zone such as Europe/Berlin.")) from error
    return str(name)


def office() -> Calendar | None:
    return Calendar.objects.filter(is_office=True).first()
