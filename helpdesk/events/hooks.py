"""Calls from providers: kept raw before they are answered, each once, and worked on later by a handler."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from helpdesk.events.actions import Fact, record
from helpdesk.events.models import Hook

_INSERT = f"""
INSERT INTO {Hook._meta.db_table} (provider, external_id, received_at, headers, body, state, error)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (provider, external_id) DO NOTHING RETURNING id
"""


class NotQuarantined(ValueError):
    """Only a quarantined hook can be tried again."""


def digest_id(raw: bytes) -> str:
    """An id for a call whose provider gives none: the same bytes are the same call."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


@transaction.atomic
def store(
    provider: str, external_id: str, raw: bytes, headers: Mapping[str, str], *, at: datetime, error: str = ""
) -> int | None:
    """Keep a call whose signature was good and record `hook.<provider>`; its id, None if it is kept already.

    With an `error` (it cannot be read) it is quarantined instead, visible and to be replayed.
    """
    state = Hook.State.QUARANTINED if error else Hook.State.ACCEPTED
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [provider, external_id[:200], at, json.dumps(dict(headers)), raw, state.value, error[:2000]]
        )
        row = cursor.fetchone()
    if row is None:
        return None
    if not error:
        record(Fact(f"hook.{provider}", data={"hook": row[0]}), at=at)
    return int(row[0])


def finish(*hooks: Hook) -> None:
    """They were worked on; what another handler has quarantined meanwhile stays visible."""
    worked_on = Hook.objects.filter(pk__in=[hook.pk for hook in hooks], state=Hook.State.ACCEPTED)
    worked_on.update(state=Hook.State.DONE, error="")


def quarantine(hook: Hook, error: str) -> None:
    """It cannot be worked on as it is. It stays visible and can be replayed."""
    Hook.objects.filter(pk=hook.pk).update(state=Hook.State.QUARANTINED, error=error[:2000])


@transaction.atomic
def replay(hook_id: int, *, at: datetime) -> Hook:
    """Hand a quarantined call to its handler again. Raises Hook.DoesNotExist, NotQuarantined."""
    hook = Hook.objects.select_for_update().get(pk=hook_id)
    if hook.state != Hook.State.QUARANTINED:
        raise NotQuarantined(f"hook {hook.pk} is {hook.state}")
    hook.state, hook.error = Hook.State.ACCEPTED, ""
    hook.save(update_fields=["state", "error"])
    record(Fact(f"hook.{hook.provider}", data={"hook": hook.pk}), at=at)
    return hook
