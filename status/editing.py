"""How components are added and changed. Every change that may be seen lets the page's version rise."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.customers.models import Service
from status import components, pages
from status.models import Component, ComponentSpan


@transaction.atomic
def add(given: Mapping[str, Any], *, services: Sequence[Service] = (), at: datetime) -> Component:
    """A component (or group) with these fields; how it is now holds from now on."""
    fields = {"started_on": at.date(), **given}
    state = fields.get("own_state", Component._meta.get_field("own_state").get_default())
    made = Component.objects.create(**fields, state=state, created_at=at, updated_at=at)
    if not made.is_group:
        ComponentSpan.objects.create(component=made, state=state, since=at)
    made.services.set(services)
    pages.changed(at)
    return made


@transaction.atomic
def change(
    component: Component, given: Mapping[str, Any], *, services: Sequence[Service] | None = None, at: datetime
) -> Component:
    """Set these fields; where `own_state` is one of them its state follows, unless an incident says worse."""
    locked = components.lock_components([component.pk])
    found = locked[component.pk]
    for name, value in given.items():
        setattr(found, name, value)
    found.updated_at = at
    found.save(update_fields=[*given, "updated_at"])
    if services is not None:
        found.services.set(services)
    if not found.is_group:
        components.recompute(locked, at=at)
    pages.changed(at)
    return found


@transaction.atomic
def remove(component: Component, *, at: datetime) -> None:
    """Take away what no incident names, and no group holds. Raises ProtectedError."""
    component.delete()
    pages.changed(at)
