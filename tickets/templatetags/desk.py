"""For customers' pages the pictures of `tickets/desk/rendering.py`."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from tickets.desk import rendering

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    return mark_safe(rendering.icon(name))
