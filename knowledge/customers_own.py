"""What the help centre holds of a customer: packed with their data, and forgotten with them."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from helpdesk.customers.models import Customer
from knowledge import changes
from knowledge.models import Comment, Remark


def exported(customer: Customer) -> list[dict[str, Any]]:
    """Comments below articles, for the file of the customer's own data."""
    return [dict(row) for row in _comments(customer).values("article_id", "name", "email", "text", "state", "at")]


def erase(customer: Customer, at: datetime) -> None:
    """One of settings.ERASERS: comments go, and the words of remarks; votes hold no name."""
    if _comments(customer).delete()[0]:
        changes.changed(at)
    Remark.objects.filter(customer=customer).update(text="")


def _comments(customer: Customer) -> QuerySet[Comment]:
    """Those written signed in, or with one of the customer's addresses."""
    addresses = list(customer.identities.filter(channel="email").values_list("handle", flat=True))
    rows = Comment.objects.annotate(address=Lower("email"))
    return rows.filter(Q(customer=customer) | Q(address__in=addresses)).order_by("pk")
