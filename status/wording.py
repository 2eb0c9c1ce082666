"""What states, statuses and impacts are called on the page, in feeds and in mails, in the language that is active."""

from functools import lru_cache
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

STATES: Final[dict[str, Promise]] = {
    "operational": _("Operational"),
    "under_maintenance": _("Under maintenance"),
    "degraded_performance": _("Degraded performance"),
    "partial_outage": _("Partial outage"),
    "major_outage": _("Major outage"),
}
STATUSES: Final[dict[str, Promise]] = {
    "investigating": _("Investigating"),
    "identified": _("Identified"),
    "monitoring": pgettext_lazy("status of an incident", "Monitoring"),
    "resolved": pgettext_lazy("status of an incident", "Resolved"),
    "postmortem": _("Post-mortem"),
    "scheduled": pgettext_lazy("status of a maintenance", "Scheduled"),
    "in_progress": pgettext_lazy("status of a maintenance", "In progress"),
    "verifying": _("Verifying"),
    "completed": pgettext_lazy("status of a maintenance", "Completed"),
}
IMPACTS: Final[dict[str, Promise]] = {
    "none": _("No impact"),
    "minor": _("Minor impact"),
    "major": _("Major impact"),
    "critical": _("Critical impact"),
    "maintenance": _("Maintenance"),
}
_TABLES: Final = {"STATES": STATES, "STATUSES": STATUSES, "IMPACTS": IMPACTS}
# Statuspage's own sentences for the whole page, by which its clients show it; here so that they are translated.
OVERALL: Final[dict[str, Promise]] = {
    "All Systems Operational": _("All systems operational"),
    "Service Under Maintenance": _("Service under maintenance"),
    "Partially Degraded Service": _("Partially degraded service"),
    "Degraded System Service": _("Degraded service"),
    "Minor Service Outage": _("Minor service outage"),
    "Partial System Outage": _("Partial system outage"),
    "Major System Outage": _("Major system outage"),
}
# Which of the page's colours says it: ok, info, warn or bad.
TONES: Final[dict[str, str]] = {
    "operational": "ok",
    "under_maintenance": "info",
    "degraded_performance": "warn",
    "partial_outage": "orange",
    "major_outage": "bad",
    "none": "ok",
    "minor": "warn",
    "major": "orange",
    "critical": "bad",
    "maintenance": "info",
}
ICONS: Final[dict[str, str]] = {
    "operational": "circle-check",
    "under_maintenance": "wrench",
    "degraded_performance": "triangle-alert",
    "partial_outage": "triangle-alert",
    "major_outage": "circle-x",
}


@lru_cache(512)
def _said(table: str, language: str, code: str) -> str:
    """A page says the same few words a hundred times."""
    return str(_TABLES[table][code])


def state(code: str) -> str:
    return _said("STATES", get_language() or "en", code)


def status(code: str) -> str:
    return _said("STATUSES", get_language() or "en", code)


def impact(code: str) -> str:
    return _said("IMPACTS", get_language() or "en", code)


def overall(description: str) -> str:
    """Statuspage's sentence in the reader's language."""
    return str(OVERALL[description])


def update_headings(statuses: list[str]) -> list[str]:
    """What stands over each update, newest first: its status, or "Update" where the one before said the same."""
    before = [*statuses[1:], ""]
    return [gettext("Update") if code == old else status(code) for code, old in zip(statuses, before, strict=True)]
