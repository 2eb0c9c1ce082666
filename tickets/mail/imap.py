"""Fetch mail by IMAP. The cursor is ours (UIDVALIDITY and the last UID): flags and dates on the server mean nothing.

The folder is opened read-only and bodies are peeked at, so the server keeps everything as it was. Mail and cursor are
committed together; a mail that cannot be fetched is kept as quarantined and never blocks the next.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from helpdesk.events.nudge import nudge
from helpdesk.events.secrets import SecretUnreadable, decrypt
from tickets.mail import ledger
from tickets.mail.ledger import Arrived
from tickets.mail.oversized import header_only
from tickets.models import ImapAccount

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 30
BATCH: Final = 50
BATCH_BYTES: Final = 20 * 1024 * 1024
# One account may not keep the others waiting; what is left comes with the next poll.
POLL_SECONDS: Final = 40.0
ALL_SECONDS: Final = 80.0
_LOCK: Final = 0x1AA9
_LARGEST_UID: Final = 2**32


def poll_mailboxes(*, at: datetime) -> int:
    """Poll every active account, the one longest not looked at first; how much mail came in."""
    began = time.monotonic()
    fetched = 0
    for pk in (
        ImapAccount.objects.filter(is_active=True)
        .order_by(F("polled_at").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)
    ):
        if time.monotonic() - began > ALL_SECONDS:
            break
        fetched += poll(pk, at=at)
    return fetched


def poll(account_id: int, *, at: datetime) -> int:
    """Take what is new in one account, unless another process is at it; how much mail came in.

    What goes wrong is written on the account, and the next poll tries again.
    """
    with _alone(account_id) as alone:
        account = ImapAccount.objects.select_related("mailbox").filter(pk=account_id, is_active=True).first()
        if account is None or not alone:
            return 0
        try:
            fetched = _Poll(account, at).run()
        except (IMAPClientError, OSError, SecretUnreadable, ValueError) as error:
            logger.warning("mailbox %s: %s", account, error)
            ImapAccount.objects.filter(pk=account_id).update(error=words(error), polled_at=at)
            return 0
        ImapAccount.objects.filter(pk=account_id).update(error="", polled_at=at)
        return fetched


def words(error: Exception) -> str:
    """What the server or the network said, for people."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
    return (text or error.__class__.__name__)[:2000]


def connect(account: ImapAccount) -> tuple[IMAPClient, int]:
    """Log in and open the folder read-only; client and UIDVALIDITY. Raises IMAPClientError, OSError."""
    client = IMAPClient(account.host, account.port, ssl=account.use_tls, timeout=TIMEOUT_SECONDS)
    try:
        client.normalise_times = False
        client.login(account.username, decrypt(account.secret))
        answer = client.select_folder(account.folder, readonly=True)
    except BaseException:
        _hang_up(client)
        raise
    return client, int(answer[b"UIDVALIDITY"])


@contextmanager
def connected(account: ImapAccount) -> Iterator[tuple[IMAPClient, int]]:
    """`connect`, and log out at the end."""
    client, uid_validity = connect(account)
    try:
        yield client, uid_validity
    finally:
        _hang_up(client)


def _hang_up(client: IMAPClient) -> None:
    try:
        client.logout()
    except (IMAPClientError, OSError):
        client.shutdown()


@contextmanager
def _alone(account_id: int) -> Iterator[bool]:
    """A lock that ends with the process: held outside any transaction, since the server may be slow."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, account_id])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, account_id])


class _Poll:
    """One visit to one account."""

    def __init__(self, account: ImapAccount, at: datetime) -> None:
        self.account = account
        self.at = at
        self.fetched = 0
        self._until = time.monotonic() + POLL_SECONDS

    def run(self) -> int:
        try:
            with connected(self.account) as (client, uid_validity):
                self._open(uid_validity)
                self._take(client)
        except IMAPClientAbortError:
            # The server hung up. If one mail makes it do so, only fetching one by one finds out which.
            self._one_by_one()
        return self.fetched

    def _open(self, uid_validity: int) -> None:
        if self.account.uid_validity != uid_validity:
            # The server numbered anew: all is looked at again, and what we had is recognised when it is filed.
            self.account.uid_validity, self.account.last_uid = uid_validity, 0

    def _take(self, client: IMAPClient) -> None:
        uids = _new_uids(client, self.account.last_uid)
        for start in range(0, len(uids), BATCH):
            described = client.fetch(uids[start : start + BATCH], ["RFC822.SIZE", "INTERNALDATE"])
            for group in _groups(uids[start : start + BATCH], described):
                self._keep(group, self._mails(client, group, described))
                if time.monotonic() > self._until:
                    return

    def _mails(self, client: IMAPClient, uids: Sequence[int], described: dict[int, Any]) -> list[Arrived]:
        """The mails of the UIDs that still exist, in order."""
        if len(uids) == 1:
            found = self._one(client, uids[0], described)
            return [found] if found else []
        try:
            bodies = client.fetch(uids, ["BODY.PEEK[]"])
            return [self._arrived(uid, bodies[uid][b"BODY[]"], described) for uid in uids if uid in bodies]
        except IMAPClientAbortError:
            raise
        except (IMAPClientError, KeyError, TypeError, ValueError) as error:
            logger.warning("mailbox %s: fetching one by one after %s", self.account, error)
            return [mail for uid in uids if (mail := self._one(client, uid, described))]

    def _one(self, client: IMAPClient, uid: int, described: dict[int, Any]) -> Arrived | None:
        limit: int = settings.MAIL_SIZE_LIMIT
        size = described.get(uid, {}).get(b"RFC822.SIZE", 0)
        try:
            if size > limit:
                header = client.fetch([uid], ["BODY.PEEK[HEADER]"])[uid][b"BODY[HEADER]"] or b""
                where = f"The whole mail is in {self.account.folder} of {self.account.username}, UID {uid}."
                return self._arrived(uid, header_only(header, size, limit, where=where), described)
            body = client.fetch([uid], ["BODY.PEEK[]"])
            return self._arrived(uid, body[uid][b"BODY[]"], described) if uid in body else None
        except IMAPClientAbortError:
            raise
        except (IMAPClientError, KeyError, TypeError, ValueError) as error:
            return self._unfetchable(uid, error)

    def _one_by_one(self) -> None:
        """Each mail on a connection that is known to work: a mail that ends it twice is the mail's fault."""
        with connected(self.account) as (client, uid_validity):
            self._open(uid_validity)
            uids = _new_uids(client, self.account.last_uid)
        for uid in uids[:BATCH]:
            mail = self._insist(uid)
            self._keep([uid], [mail] if mail else [])
            if time.monotonic() > self._until:
                return

    def _insist(self, uid: int) -> Arrived | None:
        for attempt in (1, 2):
            with connected(self.account) as (client, _):
                try:
                    return self._one(client, uid, client.fetch([uid], ["RFC822.SIZE", "INTERNALDATE"]))
                except IMAPClientAbortError as error:
                    if attempt == 2:
                        return self._unfetchable(uid, error)
        return None

    def _arrived(self, uid: int, raw: bytes, described: dict[int, Any]) -> Arrived:
        if not isinstance(raw, bytes):
            raise ValueError(f"the server gave no body for UID {uid}")
        came = described.get(uid, {}).get(b"INTERNALDATE")
        return Arrived(
            source=f"imap:{self.account.pk}",
            raw=raw,
            mail_from="",
            rcpt_to=(self.account.mailbox.address,),
            remote_ip=None,
            received_at=min(came, self.at) if _is_plausible(came, self.at) else self.at,
            transport_key=f"imap:{self.account.pk}:{self.account.uid_validity}:{uid}",
        )

    def _unfetchable(self, uid: int, error: Exception) -> Arrived:
        where = f"{self.account.folder} of {self.account.username}, UID {uid}"
        return Arrived(
            source=f"imap:{self.account.pk}",
            raw=b"",
            mail_from="",
            rcpt_to=(self.account.mailbox.address,),
            remote_ip=None,
            received_at=self.at,
            transport_key=f"imap:{self.account.pk}:{self.account.uid_validity}:{uid}",
            error=f"The server does not hand out this mail ({where}): {error}",
        )

    def _keep(self, uids: Sequence[int], mails: Sequence[Arrived]) -> None:
        """Mails and cursor in one commit. UIDs without a mail were deleted on the server meanwhile."""
        with transaction.atomic():
            ledger.store(mails, at=self.at)
            ImapAccount.objects.filter(pk=self.account.pk).update(
                uid_validity=self.account.uid_validity, last_uid=uids[-1]
            )
        self.account.last_uid = uids[-1]
        self.fetched += len(mails)
        if mails:
            nudge(ledger.FILE_MAIL)


def _new_uids(client: IMAPClient, last_uid: int) -> list[int]:
    # "n:*" names the last mail even when its number is smaller than n (RFC 3501 §6.4.8).
    found = client.search(["UID", f"{last_uid + 1}:*"])
    return sorted(uid for uid in found if last_uid < uid < _LARGEST_UID)


def _groups(uids: Sequence[int], described: dict[int, Any]) -> Iterator[list[int]]:
    """UIDs whose mails together fit into memory; one that is too big to keep stands alone."""
    group: list[int] = []
    total = 0
    most = min(BATCH_BYTES, settings.MAIL_SIZE_LIMIT)
    for uid in uids:
        size = described.get(uid, {}).get(b"RFC822.SIZE", 0)
        if group and total + size > most:
            yield group
            group, total = [], 0
        group.append(uid)
        total += size
    if group:
        yield group


def _is_plausible(came: object, at: datetime) -> bool:
    return isinstance(came, datetime) and came.tzinfo is not None and came > at - timedelta(days=3650)
