"""The wallboard: for agents who are logged in, and by a link that a television can keep open."""

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from helpdesk.customers.models import Team, User
from helpdesk.customers.visibility import visible_teams
from helpdesk.numbers import whole_number
from tickets.desk.rendering import page
from tickets.reports import wallboard, wording
from tickets.views.access import AgentRequest, agent_view
from tickets.zones import known_zone


@require_GET
@agent_view
def own(request: AgentRequest) -> HttpResponse:
    """Of all that this agent may see, or with `?team=` of one team; other people's private teams are not there."""
    teams, asked = visible_teams(request.user).order_by("name"), request.GET.get("team", "")
    address = reverse("tickets:wallboard")
    if not asked:
        return _show(request, request.user, None, address, teams)
    team = teams.filter(pk=whole_number(asked)).first()
    if team is None:
        raise Http404
    return _show(request, request.user, team, f"{address}?team={team.pk}", teams)


@require_GET
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Read-only and without a session; a link that was revoked leads nowhere from then on."""
    link = wallboard.opened(token, at=now())
    if link is None:
        raise Http404
    with timezone.override(known_zone()):
        answer = _show(request, wallboard.stranger(), link.team, reverse("tickets:wallboard_link", args=[token]))
    patch_cache_control(answer, private=True, no_store=True)
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _show(
    request: HttpRequest, user: User, team: Team | None, address: str, teams: Iterable[Team] = ()
) -> HttpResponse:
    """The page, or its numbers alone for htmx; `teams` are those one may choose from."""
    board = wallboard.board(user, now(), team)
    shown: dict[str, Any] = {"board": board, "address": address, "ringing": wallboard.since(board), "say": wording.say}
    if request.headers.get("HX-Request"):
        return page(request, "_wallboard.jinja", **shown)
    return page(request, "wallboard.jinja", **shown, teams=list(teams), team=team)
