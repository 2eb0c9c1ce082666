"""For whole pages what `tickets/desk/rendering.py` is for fragments: the same pictures and the same words."""

from datetime import datetime

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from tickets.desk import durations, rendering, wording

register = template.Library()
register.filter("hue", wording.hue)
register.filter("initials", wording.initials)
register.filter("status_name", wording.status_name)
register.filter("priority_name", wording.priority_name)
register.filter("channel_name", wording.channel_name)
register.filter("target_name", wording.target_name)
register.filter("file_size", wording.file_size)
register.filter("when", rendering.when)


@register.simple_tag
def icon(name: str) -> SafeString:
    return mark_safe(rendering.icon(name))


@register.simple_tag
def is_demo() -> bool:
    """Whether the demo's own pages exist."""
    return bool(settings.HELPDESK_DEMO)


@register.filter
def ago(then: datetime, at: datetime) -> str:
    return durations.ago(then, at)


@register.filter
def when_in(at: datetime, zone: object) -> str:
    """Day and time in a schedule's zone rather than the agent's."""
    from_zone = at.astimezone(zone)  # type: ignore[arg-type]
    return f"{from_zone:%a %-d %b, %H:%M}"
