"""Who may do what with ratings; which ones an agent sees follows their conversations."""

from django.db.models import QuerySet

from helpdesk.customers.models import User
from helpdesk.customers.permissions import may_configure
from helpdesk.customers.visibility import visible_to
from helpdesk.ratings.models import Rating


def may_lead(user: object) -> bool:
    """Look at low ratings and show thanks to the team: the admins, who lead."""
    return may_configure(user)


def visible_ratings(user: User) -> QuerySet[Rating]:
    """Those of conversations that the agent may see."""
    return Rating.objects.filter(visible_to(user, "conversation__"))
