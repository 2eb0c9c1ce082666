"""From the ledger to conversations: claim accepted mail, file each in one transaction, quarantine what cannot be filed.

A mail that kills its worker is claimed again when the lease runs out, and quarantined when that happened too often.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import connection, transaction

from helpdesk.customers.lookup import columns, take
from helpdesk.events.nudge import gathered
from helpdesk.prepared import Prepared
from tickets.mail import sorting
from tickets.mail.authentication import Proof, ProofNeeded, look
from tickets.mail.mailboxes import Mailboxes
from tickets.mail.outcome import Outcome
from tickets.mail.parsed import ParsedMail
from tickets.mail.parsing import parse
from tickets.models import InboundEmail

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=180)
BATCH = 20
MAX_ATTEMPTS = 5
BACKOFF_SECONDS = (2, 10, 60, 300, 900)

_CLAIM = Prepared(
    "claim_mail",
    f"""
UPDATE {InboundEmail._meta.db_table} AS mail SET due_at = %(lease)s, attempts = mail.attempts + 1
WHERE mail.id = ANY(ARRAY(SELECT id FROM {InboundEmail._meta.db_table}
                          WHERE state = 'accepted' AND due_at <= %(at)s ORDER BY due_at, id LIMIT %(limit)s
                          FOR UPDATE SKIP LOCKED))
RETURNING {columns(InboundEmail, "mail")}
""",
)
# Only a mail still waiting is settled: a second worker that had claimed it after our lease must not file it twice.
_SETTLE = Prepared(
    "settle_mail",
    f"""
UPDATE {InboundEmail._meta.db_table} SET state = %s, reason = %s, conversation_id = %s, message_id = %s, mail_id = %s,
    content_hash = %s, settled_at = %s, due_at = NULL, error = ''
WHERE id = %s AND state = 'accepted'
""",
)


def file_accepted(at: datetime, limit: int = 1000) -> int:
    """File the mail that is due at `at`; how many were tried."""
    filed = 0
    while filed < limit:
        mails = _claim(at)
        if not mails:
            break
        _file_batch(mails, at)
        filed += len(mails)
    return filed


def file_side_by_side(at: datetime, limit: int = 1000) -> int:
    """`file_accepted`, with a second thread while there is more than one batch: one reads while the other writes."""
    mails = _claim(at)
    if len(mails) < BATCH:
        _file_batch(mails, at)
        return len(mails)
    with ThreadPoolExecutor(1, "filing") as second:
        other = second.submit(_file_and_hang_up, at, limit // 2)
        _file_batch(mails, at)
        filed = len(mails) + file_accepted(at, limit // 2)
        return filed + other.result()


def _file_and_hang_up(at: datetime, limit: int) -> int:
    try:
        return file_accepted(at, limit)
    finally:
        connection.close()


def _file_batch(mails: list[InboundEmail], at: datetime) -> None:
    mailboxes = Mailboxes()
    with gathered():
        for mail in mails:
            file_one(mail, mailboxes, at=at)


def _claim(at: datetime) -> list[InboundEmail]:
    """The mails to file next, oldest first, ours until the lease runs out."""
    rows = _CLAIM.rows({"at": at, "lease": at + LEASE, "limit": BATCH})
    return sorted((take(InboundEmail, row)[0] for row in rows), key=lambda mail: mail.pk)


def file_one(mail: InboundEmail, mailboxes: Mailboxes, *, at: datetime) -> None:
    """File one claimed mail; whatever goes wrong ends in a later attempt or in quarantine, never in silence."""
    if mail.attempts > MAX_ATTEMPTS:
        _quarantine(mail, mail.error or "the worker died each time it tried to read this mail", at)
        return
    try:
        parsed = parse(bytes(mail.raw))
        try:
            _sort(mail, parsed, mailboxes, at)
        except ProofNeeded:
            # It asks the DNS, which no transaction may wait for.
            _sort(mail, parsed, mailboxes, at, look(bytes(mail.raw), parsed, mail.received_at))
    except sorting.Unfileable as error:
        _quarantine(mail, str(error), at)
    except Exception as error:
        logger.exception("mail %s could not be filed", mail.pk)
        _try_later(mail, f"{error.__class__.__name__}: {error}", at)


def _sort(
    mail: InboundEmail, parsed: ParsedMail, mailboxes: Mailboxes, at: datetime, looked: Proof | None = None
) -> None:
    with transaction.atomic():
        settled = sorting.sort(mail, parsed, mailboxes, at=at, looked=looked)
        _settle(mail, settled, parsed.message_id, parsed.content_hash, at)


def _settle(mail: InboundEmail, outcome: Outcome, mail_id: str, content_hash: str, at: datetime) -> None:
    settled = _SETTLE.run(
        [
            *(outcome.state, outcome.reason[:200], outcome.conversation_id, outcome.message_id),
            *(mail_id[:998], content_hash, at, mail.pk),
        ]
    )
    if not settled:
        raise sorting.FiledMeanwhile(f"mail {mail.pk} was settled by another worker")


def _try_later(mail: InboundEmail, error: str, at: datetime) -> None:
    if mail.attempts >= MAX_ATTEMPTS:
        _quarantine(mail, error, at)
        return
    wait = timedelta(seconds=BACKOFF_SECONDS[mail.attempts - 1])
    InboundEmail.objects.filter(pk=mail.pk, state=InboundEmail.State.ACCEPTED).update(
        error=error[:2000], due_at=at + wait
    )


def _quarantine(mail: InboundEmail, error: str, at: datetime) -> None:
    logger.error("mail %s is quarantined: %s", mail.pk, error)
    InboundEmail.objects.filter(pk=mail.pk, state=InboundEmail.State.ACCEPTED).update(
        state=InboundEmail.State.QUARANTINED, error=error[:2000], settled_at=at, due_at=None
    )


class NotQuarantined(ValueError):
    """Only quarantined or blocked mail can be filed again."""


def replay(mail: InboundEmail, *, at: datetime) -> InboundEmail:
    """File a quarantined or blocked mail again, now. Raises NotQuarantined."""
    waiting = InboundEmail.objects.filter(
        pk=mail.pk, state__in=(InboundEmail.State.QUARANTINED, InboundEmail.State.BLOCKED)
    ).update(state=InboundEmail.State.ACCEPTED, due_at=at + LEASE, settled_at=None, attempts=1, error="")
    if not waiting:
        raise NotQuarantined(f"mail {mail.pk} is {mail.state}")
    mail.refresh_from_db()
    file_one(mail, Mailboxes(), at=at)
    mail.refresh_from_db()
    return mail
