"""What the states of single components add up to. Pure: no Django. Words and order are Statuspage's
(https://support.atlassian.com/statuspage/docs/top-level-status-and-incident-impact-calculations/).
"""

from collections.abc import Iterable, Sequence
from typing import Final

ORDER: Final = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
_IMPACT: Final = {"major_outage": "critical", "partial_outage": "major", "degraded_performance": "minor"}
_ALL_FINE: Final = ("none", "All Systems Operational")


def worst(states: Iterable[str]) -> str:
    """The worst of them; operational where there is none."""
    return max(states, key=ORDER.index, default=ORDER[0])


def impact(states: Iterable[str], *, is_maintenance: bool = False) -> str:
    """What an incident means that leaves its components like this."""
    return "maintenance" if is_maintenance else _IMPACT.get(worst(states), "none")


def overall(states: Sequence[str]) -> tuple[str, str]:
    """Indicator and description of the whole page, by the states of all its components (groups left out)."""
    if not states:
        return _ALL_FINE
    bad = worst(states)
    are_all_alike = set(states) == {bad}
    match bad:
        case "major_outage":
            return ("critical", "Major System Outage") if are_all_alike else ("major", "Partial System Outage")
        case "partial_outage":
            return ("major", "Partial System Outage") if are_all_alike else ("minor", "Minor Service Outage")
        case "degraded_performance":
            return ("minor", "Degraded System Service" if are_all_alike else "Partially Degraded Service")
        case "under_maintenance":
            return "maintenance", "Service Under Maintenance"
    return _ALL_FINE
