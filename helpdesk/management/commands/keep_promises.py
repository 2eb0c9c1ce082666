import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.keep_promises import Keeper, SweepHangs


class Command(BaseCommand):
    help = "Keeps promises from PostgreSQL alone whenever the workers are silent, and pages about that. Until SIGTERM."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        keeper = Keeper()

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            # In a thread of its own: the interrupted one may hold the lock that stopping takes.
            threading.Thread(target=keeper.stop).start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
        try:
            keeper.run()
        except SweepHangs as error:
            raise CommandError(str(error)) from error
