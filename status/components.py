"""How components are: recomputed from the incidents that go on, and written down as spans for their uptime."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Q

from status.models import Component, ComponentSpan, Incident, IncidentComponent, State
from status.rollup import worst


def lock_components(ids: Collection[int]) -> dict[int, Component]:
    """The components, their rows locked, always in the same order."""
    rows = Component.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return {one.pk: one for one in rows}


def recompute(locked: Mapping[int, Component], *, at: datetime) -> dict[int, tuple[str, str]]:
    """Set the state of locked components by what goes on; of those that changed the old and the new state."""
    assert connection.in_atomic_block, "states change with what changes them"
    said: dict[int, list[str]] = {pk: [] for pk in locked}
    going_on = IncidentComponent.objects.filter(
        component__in=locked, incident__published_at__isnull=False, incident__resolved_at=None
    ).exclude(incident__status=Incident.Status.SCHEDULED)
    for pk, state in going_on.values_list("component_id", "state"):
        said[pk].append(state)
    changed = {}
    for pk, component in locked.items():
        # What somebody set by hand holds where nothing worse is said.
        new = worst([component.own_state, *said[pk]])
        if new != component.state:
            changed[pk] = (component.state, new)
            become(component, new, at=at)
    return changed


def become(component: Component, state: str, *, at: datetime) -> None:
    """Write down that a locked component is like this from now on."""
    began = max(at, _open_span(component, at).since)
    ComponentSpan.objects.filter(component=component, until=None).update(until=began)
    ComponentSpan.objects.create(component=component, state=state, since=began)
    component.state, component.updated_at = state, at
    component.save(update_fields=["state", "updated_at"])


def it_was_so(locked: Mapping[int, Component], states: Mapping[int, str], since: datetime, until: datetime) -> None:
    """Write down afterwards how locked components were: for this time they count as at least as bad as `states`."""
    for pk, state in states.items():
        if since < until and state != State.OPERATIONAL:
            _open_span(locked[pk], until)
            _worsen(pk, state, since, until)


def _worsen(component_id: int, state: str, since: datetime, until: datetime) -> None:
    spans = ComponentSpan.objects.filter(component_id=component_id)
    first = spans.earliest("since")
    added = [ComponentSpan(state=state, since=since, until=min(until, first.since))] if since < first.since else []
    for span in spans.filter(Q(until=None) | Q(until__gt=since), since__lt=until).order_by("since"):
        if worst([span.state, state]) == span.state:
            continue
        began, ended, was = span.since, span.until, span.state
        middle = max(began, since), until if ended is None else min(ended, until)
        parts = [(was, began, middle[0]), (state, *middle), (was, middle[1], ended)]
        added += [ComponentSpan(state=how, since=a, until=b) for how, a, b in parts if b is None or a < b]
        span.delete()
    for span in added:
        span.component_id = component_id
    ComponentSpan.objects.bulk_create(added)


def _open_span(component: Component, at: datetime) -> ComponentSpan:
    span, _made = ComponentSpan.objects.get_or_create(
        component=component, until=None, defaults={"state": component.state, "since": component.created_at}
    )
    return span


def by_public_id(states: Mapping[str, str]) -> dict[int, str]:
    """States by the components' own ids. Raises ValueError for what is no component's id and what is no state."""
    found = dict(Component.objects.filter(public_id__in=states, is_group=False).values_list("public_id", "pk"))
    if missing := sorted(states.keys() - found.keys()):
        raise ValueError(f"no such component: {', '.join(missing)}")
    if wrong := sorted(set(states.values()) - set(State.values)):
        raise ValueError(f"not a component's state: {', '.join(wrong)}; it is one of {', '.join(State.values)}")
    return {found[public_id]: state for public_id, state in states.items()}
