"""Which pages an agent may see."""

from django.db.models import Q, QuerySet

from helpdesk.customers.models import User
from helpdesk.customers.visibility import visible_to
from helpdesk.oncall.models import Page, PageDelivery


def visible_pages(user: User) -> QuerySet[Page]:
    """Those about what the agent may see, those about no conversation, and those for which this agent was called."""
    if user.is_admin:
        return Page.objects.all()
    called = PageDelivery.objects.filter(user=user).values("page")
    return Page.objects.filter(Q(conversation=None) | visible_to(user, "conversation__") | Q(pk__in=called))
