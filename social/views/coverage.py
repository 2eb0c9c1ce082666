"""The coverage board: who covers what now."""

from django.http import HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from helpdesk.customers.permissions import may_configure
from helpdesk.desk.fields import written
from helpdesk.desk.pages import AgentRequest, agent_view, page
from social import coverage
from social.connecting_words import COVERAGES, ICONS, STATES
from social.network import network


@require_safe
@agent_view
def board(request: AgentRequest) -> HttpResponse:
    """A lane for each account in use."""
    at = now()
    lanes = coverage.lanes(request.user, at=at)
    goals = {lane.goal_seconds: written(lane.goal_seconds / 60) for lane in lanes if lane.goal_seconds}
    return page(
        request,
        "coverage.jinja",
        lanes=[(lane, network(lane.account.network).title) for lane in lanes],
        icons=ICONS,
        states=STATES,
        coverages=COVERAGES,
        goals=goals,
        at=at,
        may_configure=may_configure(request.user),
        without=[lane.account.name for lane in lanes if lane.account.schedule_id is None],
    )
