"""Inviting agents, changing what they may, letting them in anew, showing them out.

Secrets never lie in an event: links are made when their mail is sent.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from helpdesk.customers import audit
from helpdesk.customers.models import Team, User
from helpdesk.events import actions as events
from helpdesk.events.actors import Actor
from helpdesk.people import sessions


class LastAdmin(ValueError):
    """Without an admin nobody could change anything any more."""


class AlreadyAgent(ValueError):
    """Another agent has that address."""


class NotInvitable(ValueError):
    """An agent who is inactive, or has a password already, is sent no invitation."""


@transaction.atomic
def invite_agent(
    email: str, name: str, role: str = User.Role.AGENT, teams: Iterable[Team] = (), *, actor: Actor, at: datetime
) -> User:
    """A new agent without a password, who is mailed a link to set one. Raises AlreadyAgent."""
    email = email.strip().lower()
    if User.objects.filter(email__iexact=email).exists():
        raise AlreadyAgent(f"{email} is an agent already")
    agent = User.objects.create_user(email, None, name=name, role=role)
    agent.teams.set(teams)
    audit.record(actor.user_id, "created", agent, {}, audit.stored(agent), at=at)
    _record_invitation(agent, actor, at)
    return agent


@transaction.atomic
def admit_agent(email: str, name: str, *, at: datetime) -> User:
    """A new agent whom single sign-on let in; the house itself made them."""
    agent = User.objects.create_user(email, None, name=name)
    audit.record(None, "created", agent, {}, audit.stored(agent), at=at)
    events.record(events.Fact("agent.admitted", data={"agent": agent.pk}), at=at)
    return agent


@transaction.atomic
def invite_again(agent: User, *, actor: Actor, at: datetime) -> None:
    """Mail the link once more to somebody who has not set a password yet. Raises NotInvitable."""
    if not agent.is_active or agent.has_usable_password():
        raise NotInvitable("this agent is inactive or has a password already")
    _record_invitation(agent, actor, at)


def _record_invitation(agent: User, actor: Actor, at: datetime) -> None:
    events.record(events.Fact("agent.invited", actor=actor, data={"agent": agent.pk}), at=at)


@transaction.atomic
def save_agent(agent: User, fields: Mapping[str, Any], *, actor: Actor, at: datetime) -> User:
    """Write an agent, new or known; `fields` are columns, `teams` and a `password`. One made inactive or given a new
    password is shown out everywhere, one added without a password is invited. Raises LastAdmin.
    """
    values = dict(fields)
    teams: list[Team] | None = values.pop("teams", None)
    password: str | None = values.pop("password", None)
    is_new, was_active, before = agent.pk is None, agent.is_active, audit.stored(agent)
    for name, value in values.items():
        setattr(agent, name, value)
    if password is not None or is_new:
        agent.set_password(password)
    agent.save()
    if teams is not None:
        agent.teams.set(teams)
    _keep_an_admin()
    audit.record(actor.user_id, "created" if is_new else "changed", agent, before, audit.stored(agent), at=at)
    if is_new and agent.is_active and password is None:
        _record_invitation(agent, actor, at)
    if was_active and not is_new and not agent.is_active:
        sessions.end_all(agent)
        events.record(events.Fact("agent.deactivated", actor=actor, data={"agent": agent.pk}), at=at)
    elif password is not None and not is_new:
        sessions.end_all(agent)
        note_login_change(agent, "password_given", {}, actor=actor, at=at)
    return agent


def _keep_an_admin() -> None:
    # Locked, so that two admins removing each other at once cannot both succeed.
    admins = User.objects.select_for_update().filter(role=User.Role.ADMIN, is_active=True).order_by("pk")
    if not list(admins.values_list("pk", flat=True)):
        raise LastAdmin("this is the last admin: make another agent admin first")


@transaction.atomic
def reset_login(agent: User, *, actor: Actor, at: datetime) -> None:
    """For an agent who lost their second factor: forget it, and the tie to single sign-on, and end all sessions. The
    password stays.
    """
    Authenticator.objects.filter(user=agent).delete()
    SocialAccount.objects.filter(user=agent).delete()
    sessions.end_all(agent)
    note_login_change(agent, "login_reset", {}, actor=actor, at=at)


@transaction.atomic
def ask_for_reset(email: str, *, at: datetime) -> None:
    """Somebody says they forgot the password of this address. Whether it is known shows only in what is mailed."""
    events.record(events.Fact("password.reset_asked", data={"email": email.strip().lower()[:254]}), at=at)


@transaction.atomic
def note_login_change(agent: User, what: str, where: Mapping[str, str], *, actor: Actor, at: datetime) -> None:
    """What protects this agent's login changed; `what` is a key of `mails.CHANGES`, `where` has `ip` and `browser`.
    The agent is told by mail.
    """
    data = {"agent": agent.pk, "what": what, **where}
    audit.record(actor.user_id, what, agent, {}, where, at=at)
    events.record(events.Fact("agent.login_changed", actor=actor, data=data), at=at)
