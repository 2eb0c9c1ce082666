"""The audit log, and whether everything runs."""

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from helpdesk.customers.agents import are_many
from helpdesk.customers.models import AuditEntry, User
from helpdesk.numbers import whole_number
from tickets.desk import system
from tickets.views.access import AgentRequest
from tickets.views.settings import generic
from tickets.views.settings.access import admin_view

PAGE = 50


@admin_view
@require_GET
def audit_log(request: AgentRequest) -> HttpResponse:
    """The newest changes first, of one kind or by one person where asked for."""
    asked = {name: request.GET.get(name, "").replace("\x00", "")[:80] for name in ("kind", "who", "who_name", "q")}
    rows = AuditEntry.objects.select_related("actor").order_by("-id")
    if asked["kind"]:
        rows = rows.filter(kind=asked["kind"])
    if asked["who_name"]:
        found_by_name = User.objects.filter(Q(email__iexact=asked["who_name"]) | Q(name__istartswith=asked["who_name"]))
        rows = rows.filter(actor__in=found_by_name)
    elif who := whole_number(asked["who"]):
        rows = rows.filter(actor=who)
    if asked["q"]:
        rows = rows.filter(Q(name__icontains=asked["q"]))
    if after := whole_number(request.GET.get("after", "")):
        rows = rows.filter(pk__lt=after)
    found = list(rows[: PAGE + 1])
    return generic.show(
        request,
        "audit",
        "audit",
        entries=[{"entry": entry, "changes": _changes(entry)} for entry in found[:PAGE]],
        after=found[PAGE - 1].pk if len(found) > PAGE else 0,
        asked=asked,
        kinds=sorted(AuditEntry.objects.order_by().values_list("kind", flat=True).distinct()),
        agents=_who(whole_number(asked["who"])),
        are_agents_many=are_many(),
    )


def _who(chosen: int) -> list[User]:
    """Also who is gone may have changed something. Where there are too many to list, who is chosen alone."""
    people = User.objects.only("pk", "name", "email")
    return list(people.filter(pk=chosen) if are_many() else people)


def _changes(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """Column by column: what it was, what it is."""
    names = list(dict.fromkeys([*entry.before, *entry.after]))
    return [(name, _word(entry.before.get(name)), _word(entry.after.get(name))) for name in names[:20]]


def _word(value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_word(one) for one in value[:6])[:200] or "—"
    return str(value)[:200]


@admin_view
@require_GET
def status(request: AgentRequest) -> HttpResponse:
    return generic.show(request, "status", "status", **system.picture(now()))


def routes() -> list[URLPattern]:
    return [
        path("desk/settings/audit/", audit_log, name="settings_audit"),
        path("desk/settings/status/", status, name="settings_status"),
    ]
