"""What the networks told us of a customer: packed with their data, and forgotten with them."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from helpdesk.customers.models import Customer
from helpdesk.events.models import Hook
from social.models import Approval, ApprovalFile, Arrival, ModerationAction, Person, Post, Thread, TicketClaim


def exported(customer: Customer) -> list[dict[str, Any]]:
    """Accounts on networks, for the file of the customer's own data; what was said there is among the conversations."""
    rows = Person.objects.filter(customer=customer).order_by("pk")
    return [dict(row) for row in rows.values("account__network", "handle", "name", "external_id")]


def erase(customer: Customer, at: datetime) -> None:
    """One of settings.ERASERS: who it was, and what was said, by whomever. That there was a post stays, so that it does
    not come in anew.
    """
    people = list(Person.objects.filter(customer=customer))
    posts = Post.objects.filter(Q(person__in=people) | Q(message__conversation__customer=customer))
    _forget_arrivals(people, list(posts.values_list("external_id", flat=True)))
    of_theirs = Q(conversation__customer=customer)
    ApprovalFile.objects.filter(approval__in=Approval.objects.filter(of_theirs)).delete()
    Approval.objects.filter(of_theirs).update(text="", reason="")
    ModerationAction.objects.filter(of_theirs | Q(person__in=people) | Q(post__in=posts)).update(words="", snapshot={})
    TicketClaim.objects.filter(of_theirs | Q(claimed_by=customer)).delete()
    Thread.objects.filter(Q(person__in=people) | of_theirs).update(url="")
    posts.update(text="", url="", versions=[], media=[], media_due_at=None)
    for person in people:
        Person.objects.filter(pk=person.pk).update(
            external_id=f"forgotten {person.pk}", handle="", name="", avatar_url="", updated_at=at
        )


def _forget_arrivals(people: list[Person], posts: list[str]) -> None:
    """What came in about them, as it came; what still waits is not worked on."""
    subjects = [person.external_id for person in people]
    rows = Arrival.objects.filter(account__in={person.account_id for person in people})
    rows = rows.filter(Q(subject__in=subjects) | Q(about__in=posts))
    Hook.objects.filter(pk__in=rows.exclude(hook=None).values("hook")).update(body=b"")
    waiting = (Arrival.State.ACCEPTED, Arrival.State.WAITING)
    rows.filter(state__in=waiting).update(state=Arrival.State.IGNORED, due_at=None)
    rows.update(body={}, subject="", error="")
