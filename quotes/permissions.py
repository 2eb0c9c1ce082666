"""Who may do what with quotes. Agents see those of the conversations they see; customers their own, and their
managers those of the organization's conversations that managers see.
"""

from django.db.models import Q, QuerySet

from helpdesk.customers.models import Customer, User
from helpdesk.customers.permissions import is_agent, may_work
from helpdesk.customers.visibility import open_to_managers, visible_to
from quotes.models import Quote


def may_offer(user: object) -> bool:
    """Draft, send and withdraw: who works. Viewers read."""
    return may_work(user)


def visible_quotes(user: User) -> QuerySet[Quote]:
    """For agents; private teams' quotes are seen by their members and admins."""
    return Quote.objects.filter(visible_to(user, "conversation__")) if is_agent(user) else Quote.objects.none()


def quotes_of(customer: Customer) -> QuerySet[Quote]:
    """For customers who are signed in: never a draft, nor anybody else's."""
    own = Q(customer=customer)
    if customer.is_manager and customer.organization_id is not None:
        own |= Q(organization=customer.organization_id) & open_to_managers("conversation__")
    return Quote.objects.filter(own).exclude(state=Quote.State.DRAFT)
