"""Time zones by name, where the name may be empty or unknown to this machine."""

from zoneinfo import ZoneInfo

from django.conf import settings


def known_zone(*names: str) -> ZoneInfo:
    """The zone of the first name this machine knows, the office's where it knows none."""
    for name in names:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo(settings.OFFICE_TIME_ZONE)
