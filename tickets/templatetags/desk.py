"""For customers' and login pages what `helpdesk/desk/engine.py` has for the others: pictures, whose house it is."""

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from helpdesk.customers import company
from helpdesk.desk import engine

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    return mark_safe(engine.icon(name))


@register.simple_tag
def brand(otherwise: str = "Helpdesk") -> str:
    """What stands where others have a logo; `otherwise`, translated, where nobody has named the company."""
    return company.names()[1] or gettext(otherwise)


@register.simple_tag
def company_name() -> str:
    """Empty where nobody has named it."""
    return company.names()[0]
