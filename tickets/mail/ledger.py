"""accept(): the one door for mail. Whatever the way in, its bytes are committed here before anyone is told "yes"."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from helpdesk.events.nudge import nudge
from tickets.models import InboundEmail

FILE_MAIL: Final = "tickets.tasks.file_mail"
_COLUMNS: Final = (
    "source, transport_key, mail_from, rcpt_to, remote_ip, received_at, raw, sha256, size, "
    + "state, error, due_at, settled_at"
)
_FIXED: Final = "mail_id, content_hash, reason, attempts"
_ROW: Final = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', '', '', 0)"
_LONGEST_KEY: Final = 255
_LONGEST_ADDRESS: Final = 998
# PostgreSQL's text holds neither NUL nor half a surrogate pair, and both come in envelopes of hostile clients.
_UNSTORABLE: Final = re.compile("[\x00\r\n\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail as it came in, byte for byte, with its envelope.

    `transport_key` names the delivery where the way in has a name for it (an IMAP uid); otherwise the bytes and
    recipients are the name. A mail with an `error` is kept as quarantined: there is nothing to file in it.
    """

    source: str
    raw: bytes
    mail_from: str
    rcpt_to: tuple[str, ...]
    remote_ip: str | None
    received_at: datetime
    transport_key: str | None = None
    error: str = ""


def accept(mails: Sequence[Arrived], *, at: datetime) -> list[int]:
    """Commit the mails and wake the worker that files them; their ledger ids, in order.

    Mail that is in the ledger already (the same bytes to the same recipients, sent again because our "yes" was lost)
    keeps its row. Raises django.db.Error when nothing could be committed: the caller answers "try again later".
    """
    ids = store(mails, at=at)
    if ids:
        nudge(FILE_MAIL)
    return ids


def store(mails: Sequence[Arrived], *, at: datetime) -> list[int]:
    """`accept` without waking anyone, for callers that do so themselves, or that commit more with it.

    One INSERT, which outside a transaction is its own commit.
    """
    rows = {}
    keys = []
    for mail in mails:
        key, row = _row(mail, at)
        keys.append(key)
        rows[key] = row
    if not rows:
        return []
    ids = _insert(rows)
    if missing := [key for key in rows if key not in ids]:
        ids |= dict(InboundEmail.objects.filter(transport_key__in=missing).values_list("transport_key", "pk"))
    return [ids[key] for key in keys]


def _insert(rows: dict[str, list[Any]]) -> dict[str, int]:
    """Insert what is new; ids by transport key. DO NOTHING never waits for a worker that has the old row locked."""
    values = ", ".join([_ROW] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {InboundEmail._meta.db_table} ({_COLUMNS}, {_FIXED}) VALUES {values} "
            "ON CONFLICT (transport_key) DO NOTHING RETURNING transport_key, id",
            [value for row in rows.values() for value in row],
        )
        return dict(cursor.fetchall())


def _row(mail: Arrived, at: datetime) -> tuple[str, list[Any]]:
    digest = hashlib.sha256(mail.raw)
    recipients = [_text(address) for address in mail.rcpt_to]
    key = _key(mail.transport_key, digest.copy(), recipients)
    state = InboundEmail.State.QUARANTINED if mail.error else InboundEmail.State.ACCEPTED
    return key, [
        mail.source[:40],
        key,
        _text(mail.mail_from),
        recipients,
        mail.remote_ip,
        mail.received_at,
        mail.raw,
        digest.hexdigest(),
        len(mail.raw),
        state.value,
        _UNSTORABLE.sub(" ", mail.error)[:2000],
        None if mail.error else at,
        at if mail.error else None,
    ]


def _key(given: str | None, digest: Any, recipients: Iterable[str]) -> str:
    if given is None:
        for address in sorted({recipient.lower() for recipient in recipients}):
            digest.update(b"\0" + address.encode())
        return f"raw:{digest.hexdigest()}"
    if len(given) > _LONGEST_KEY or _UNSTORABLE.search(given):
        return f"key:{hashlib.sha256(given.encode(errors='surrogatepass')).hexdigest()}"
    return given


def _text(address: str) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", address)[:_LONGEST_ADDRESS]
