"""What follows from events about agents: their mails."""

from datetime import datetime, timedelta

from helpdesk.customers.models import User
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.sending_mail import send_email
from helpdesk.people import mails

# Nobody waits longer for a new password; they have asked again.
RESET_WITHIN = timedelta(hours=6)


@outside
def send_invitation(event: Event, at: datetime) -> None:
    agent = _active(event)
    if agent is not None and not agent.has_usable_password():
        send_email(mails.invitation(agent, event))


@outside
def send_reset(event: Event, at: datetime) -> None:
    """A mail to a known, active agent; silence for everybody else."""
    if at - event.at > RESET_WITHIN:
        return
    agent = User.objects.filter(email__iexact=event.data["email"], is_active=True).first()
    if agent is not None:
        send_email(mails.reset(agent, event))


@outside
def tell_of_change(event: Event, at: datetime) -> None:
    agent = _active(event)
    if agent is not None:
        send_email(mails.login_change(agent, event))


def _active(event: Event) -> User | None:
    return User.objects.filter(pk=event.data["agent"], is_active=True).first()
