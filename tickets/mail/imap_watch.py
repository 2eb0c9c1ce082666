"""Waits on IMAP servers (IDLE, RFC 2177) so that new mail is fetched in a second instead of a minute.

One thread an account. Hearing nothing means nothing: every minute the account is polled all the same.
"""

import logging
import threading
import time
from typing import Final

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from helpdesk.events.secrets import SecretUnreadable
from tickets.mail import imap
from tickets.models import ImapAccount

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 60
# Servers hang up on whoever idles for half an hour (RFC 2177 §3).
IDLE_SECONDS: Final = 28 * 60
_LISTEN_SECONDS: Final = 2
_BACKOFF_SECONDS: Final = (5, 15, 60)


class Watcher(threading.Thread):
    """Watches one account until `stop` is set."""

    def __init__(self, account_id: int) -> None:
        super().__init__(name=f"imap:{account_id}", daemon=True)
        self.account_id = account_id
        self.stop = threading.Event()

    def run(self) -> None:
        failures = 0
        while not self.stop.is_set():
            try:
                account = ImapAccount.objects.filter(pk=self.account_id, is_active=True).first()
                if account is None:
                    return
                self._watch(account)
                failures = 0
            except (IMAPClientError, OSError, SecretUnreadable, DatabaseError, InterfaceError) as error:
                logger.warning("watching mailbox %s: %s: %s", self.account_id, error.__class__.__name__, error)
                connection.close()
                self.stop.wait(_BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)])
                failures += 1

    def _watch(self, account: ImapAccount) -> None:
        """Poll and idle on one connection until it is time to connect anew."""
        with imap.connected(account) as (client, _):
            if not client.has_capability("IDLE"):
                imap.poll(account.pk, at=timezone.now())
                self.stop.wait(POLL_SECONDS)
                return
            client.idle()
            try:
                self._listen(account.pk, client)
            finally:
                client.idle_done()

    def _listen(self, account_id: int, client: IMAPClient) -> None:
        # First poll, once we listen: what came in between would not be announced again.
        began, poll_at = time.monotonic(), 0.0
        while not self.stop.is_set() and time.monotonic() - began < IDLE_SECONDS:
            if time.monotonic() >= poll_at:
                imap.poll(account_id, at=timezone.now())
                poll_at = time.monotonic() + POLL_SECONDS
            if any(b"EXISTS" in line for line in client.idle_check(timeout=_LISTEN_SECONDS)):
                poll_at = 0.0


def watch(stop: threading.Event) -> None:
    """A watcher for every active account, until `stop` is set; accounts are looked up again every minute."""
    watchers: dict[int, Watcher] = {}
    while not stop.is_set():
        try:
            wanted = set(ImapAccount.objects.filter(is_active=True).values_list("pk", flat=True))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the accounts cannot be read: %s", error)
            connection.close()
            wanted = set(watchers)
        for pk in [pk for pk in watchers if pk not in wanted or not watchers[pk].is_alive()]:
            watchers.pop(pk).stop.set()
        for pk in wanted - set(watchers):
            watchers[pk] = Watcher(pk)
            watchers[pk].start()
        stop.wait(POLL_SECONDS)
    for watcher in watchers.values():
        watcher.stop.set()
    for watcher in watchers.values():
        watcher.join(2 * _LISTEN_SECONDS)
