"""`manage.py watch_mailboxes`: hears of new mail in IMAP accounts at once. Without it they are polled every minute."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from tickets.mail import imap_watch


class Command(BaseCommand):
    help = "Wait for new mail in all IMAP accounts until SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        imap_watch.watch(stop)
