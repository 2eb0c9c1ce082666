"""What follows from events, for the rota and for providers' calls back."""

from datetime import datetime

from helpdesk.events.models import Event
from helpdesk.oncall import rotas
from helpdesk.oncall.models import Schedule


def plan_shifts(event: Event, at: datetime) -> None:
    """A rota was changed: plan it again from now on."""
    for schedule in Schedule.objects.filter(pk=event.data["schedule"]):
        rotas.plan(schedule, at=at)
