"""Teams and agents: who works here, together with whom, and what they may do."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from helpdesk.customers.models import Team, User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import SerialForm, SettingsForm
from helpdesk.events.actors import Actor
from helpdesk.oncall.models import EscalationPolicy
from helpdesk.people import actions as people
from helpdesk.people.serializers import AgentSerializer
from tickets.views.access import AgentRequest
from tickets.views.settings import generic

_ROLES = {
    User.Role.ADMIN: gettext_lazy("Admin: works, and changes settings"),
    User.Role.AGENT: gettext_lazy("Agent: works on conversations"),
    User.Role.VIEWER: gettext_lazy("Viewer: reads, and writes notes"),
}


class TeamForm(SettingsForm):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    members = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True),
        required=False,
        label=gettext_lazy("Members"),
        widget=forms.CheckboxSelectMultiple,
    )
    is_private = forms.BooleanField(
        required=False,
        label=gettext_lazy("Private"),
        help_text=gettext_lazy("Only its members and admins see its conversations."),
    )
    escalation_policy = forms.ModelChoiceField(
        EscalationPolicy.objects.all(),
        required=False,
        label=gettext_lazy("Who is called"),
        empty_label=gettext_lazy("The default escalation"),
    )

    def values(self, found: Team | None) -> dict[str, Any]:
        values = super().values(found)
        return {**values, "members": list(found.members.values_list("pk", flat=True))} if found else values

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        others = Team.objects.annotate(low=Lower("name")).filter(low=name.lower())
        if others.exclude(pk=self.found.pk if self.found else 0).exists():
            raise forms.ValidationError(_("There is a team of this name."))
        return name

    def write(self, *, at: datetime) -> Team:
        team: Team = self.found or Team()
        for name in ("name", "is_private", "escalation_policy"):
            setattr(team, name, self.cleaned_data[name])
        team.save()
        # Agents who left keep their place in the teams they worked in.
        gone = team.members.filter(is_active=False)
        team.members.set([*self.cleaned_data["members"], *gone])
        return team


class Teams(Area):
    key, model, form = "teams", Team, TeamForm
    add_words = gettext_lazy("Add team")
    empty = (
        gettext_lazy("No team yet"),
        gettext_lazy("Mail, forms and chats are handed to a team; its members find them under its name."),
    )
    remove_words = gettext_lazy("Its conversations stay, without a team. Its members stay agents.")

    def rows(self, user: User) -> QuerySet[Team]:
        return Team.objects.select_related("escalation_policy").annotate(size=Count("members"))

    def row(self, found: Any, user: User) -> Row:
        size = ngettext("%(count)s member", "%(count)s members", found.size) % {"count": found.size}
        calls = str(found.escalation_policy) if found.escalation_policy else ""
        marks = [(_("Private"), "note")] if found.is_private else []
        return Row(found.pk, found.name, " · ".join(filter(None, [size, calls])), list(marks), "users")

    def snapshot(self, found: Any) -> dict[str, Any]:
        return {**super().snapshot(found), "members": sorted(found.members.values_list("email", flat=True))}


class AgentForm(SerialForm):
    serializer = AgentSerializer
    sections = (
        (gettext_lazy("Who"), ("name", "email")),
        (gettext_lazy("What they may do"), ("role", "teams", "is_active")),
        (gettext_lazy("Language and time"), ("language", "timezone")),
    )
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    email = forms.EmailField(max_length=254, label=gettext_lazy("E-mail"))
    role = forms.ChoiceField(
        choices=[(role.value, words) for role, words in _ROLES.items()],
        initial=User.Role.AGENT,
        label=gettext_lazy("Role"),
        widget=forms.RadioSelect,
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.all(), required=False, label=gettext_lazy("Teams"), widget=forms.CheckboxSelectMultiple
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("May log in"),
        help_text=gettext_lazy("Without it every session ends at once. What they wrote stays theirs."),
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=gettext_lazy("Language"))
    timezone = fields.zone_field(initial=settings.OFFICE_TIME_ZONE)

    def arrange(self) -> None:
        if self.found is None:
            self.fields["email"].help_text = _("They are mailed a link to choose a password.")
            del self.fields["is_active"]


class Agents(Area):
    key, model, form = "agents", User, AgentForm
    removes = False
    is_noted_here = False
    searches = ("name", "email")
    add_words = gettext_lazy("Invite agent")
    template = "settings/agent.jinja"

    def rows(self, user: User) -> QuerySet[User]:
        return User.objects.prefetch_related("teams")

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = []
        if not found.is_active:
            marks.append((_("May not log in"), "bad"))
        elif not found.has_usable_password():
            marks.append((_("Invited"), "info"))
        if found.role != User.Role.AGENT:
            marks.append((_("Admin") if found.is_admin else _("Viewer"), "acc" if found.is_admin else ""))
        teams = ", ".join(team.name for team in found.teams.all())
        return Row(found.pk, found.name or found.email, " · ".join(filter(None, [found.email, teams])), marks, "user")

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        waits = found is not None and found.is_active and not found.has_usable_password()
        return {"waits": waits, "is_me": found is not None and found.pk == request.user.pk}

    def more_routes(self) -> Iterable[URLPattern]:
        base = f"desk/settings/{self.key}/<int:pk>/"
        yield path(f"{base}invitation/", generic.guarded(self, _invite_again), name="settings_agents_invitation")
        yield path(f"{base}login-reset/", generic.guarded(self, _reset_login), name="settings_agents_login_reset")


AGENTS = Agents()


@require_POST
def _invite_again(request: AgentRequest, pk: int) -> HttpResponse:
    agent = generic.row_or_404(AGENTS, request, pk)
    try:
        people.invite_again(agent, actor=Actor.agent(request.user), at=now())
    except people.NotInvitable:
        messages.error(request, _("This agent is inactive, or has a password already."))
    else:
        messages.success(request, _("The invitation goes to %s once more.") % agent.email)
    return redirect("tickets:settings_agents_edit", pk)


@require_POST
def _reset_login(request: AgentRequest, pk: int) -> HttpResponse:
    agent = generic.row_or_404(AGENTS, request, pk)
    people.reset_login(agent, actor=Actor.agent(request.user), at=now())
    messages.success(request, _("Second factor and single sign-on are forgotten, all sessions ended."))
    return redirect("tickets:settings_agents_edit", pk)


AREAS = (Teams(), AGENTS)
