"""The audit log: `record` beside every change of what is configured, in the same transaction.

before = audit.stored(policy, "goals")
...  # the change
audit.record(user.pk, "changed", policy, before, audit.stored(policy, "goals"), at=at)
"""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from helpdesk.customers.forgetting import GONE, forgetting
from helpdesk.customers.models import AuditEntry

HIDDEN: Final = "(hidden)"
_SECRET = re.compile(r"secret|password|token|digest|credential|private_key|api_key", re.IGNORECASE)
_LONGEST_TEXT = 2_000
_MOST = 200
_DEEPEST = 12
_MISSING = object()
_PLAIN = (bool, int, float, Decimal, datetime, date, time, timedelta, UUID)


def record(
    actor_id: int | None,
    action: str,
    thing: Model,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    at: datetime,
    thing_id: int | None = None,
) -> AuditEntry | None:
    """Write down that `actor_id` (None is the house) did `action` ("created", "changed", "deleted", …) to `thing`.

    Of `before` and `after` only what differs is kept, and of what sounds like a secret only that it differs. Where both
    are given and nothing differs nothing is written. `thing_id` is for what is deleted already.
    """
    keys = [key for key in {**before, **after} if before.get(key, _MISSING) != after.get(key, _MISSING)]
    if not keys and (before or after):
        return None
    return AuditEntry.objects.create(
        at=at,
        actor_id=actor_id,
        action=action[:40],
        kind=thing._meta.model_name or "",
        thing_id=thing_id if thing_id is not None else thing.pk,
        name=str(thing)[:200],
        before=_told({key: before[key] for key in keys if key in before}),
        after=_told({key: after[key] for key in keys if key in after}),
    )


def forget(customer_id: int) -> None:
    """Take out what a customer was called, and their values; what was changed, by whom and when stays."""
    with forgetting():
        for entry in AuditEntry.objects.filter(kind="customer", thing_id=customer_id):
            entry.name, entry.before, entry.after = (
                GONE,
                dict.fromkeys(entry.before, GONE),
                dict.fromkeys(entry.after, GONE),
            )
            entry.save(update_fields=["name", "before", "after"])


def stored(thing: Model, *children: str) -> dict[str, Any]:
    """The row as the database has it now, to be given to `record`; empty for one that is not there.

    `children` are names of relations whose rows belong to it, such as a policy's "goals".
    """
    if thing.pk is None:
        return {}
    row = type(thing)._default_manager.filter(pk=thing.pk).first()
    if row is None:
        return {}
    values = _columns(row)
    for field in row._meta.many_to_many:
        values[field.name] = sorted(getattr(row, field.name).values_list("pk", flat=True)[:_MOST])
    for name in children:
        values[name] = [_columns(child) for child in getattr(row, name).order_by("pk")[:_MOST]]
    return values


def _columns(row: Model) -> dict[str, Any]:
    return {
        field.name: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and not field.generated
    }


def _told(values: Mapping[str, Any]) -> Any:
    """As JSON that may be kept."""
    hidden = {key: _hidden(key, value, 0) for key, value in values.items()}
    return json.loads(json.dumps(hidden, cls=DjangoJSONEncoder))


def _hidden(key: str, value: Any, depth: int) -> Any:
    """Without secrets, however deep they lie, and bounded. What is nested deeper than our own rows is left out."""
    if _SECRET.search(key) and value not in (None, "", [], {}) and not isinstance(value, bool | datetime):
        return HIDDEN
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {str(name): _hidden(str(name), part, depth + 1) for name, part in list(value.items())[:_MOST]}
    if isinstance(value, list | tuple | set):
        return [_hidden(key, part, depth + 1) for part in list(value)[:_MOST]]
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else value[:_LONGEST_TEXT] + "…"
    if isinstance(value, bytes | memoryview):
        return f"({len(value)} bytes)"
    # A change must never fail because of its record: what JSON does not know is told as it prints.
    return value if value is None or isinstance(value, _PLAIN) else str(value)[:_LONGEST_TEXT]
