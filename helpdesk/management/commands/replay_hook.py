from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk.events import hooks
from helpdesk.events.models import Hook


class Command(BaseCommand):
    help = "Hands a quarantined call of a provider to its handler again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="the hook's id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            hook = hooks.replay(options["id"], at=timezone.now())
        except Hook.DoesNotExist as error:
            raise CommandError(f"There is no hook {options['id']}.") from error
        except hooks.NotQuarantined as error:
            raise CommandError(f"Only a quarantined hook can be replayed: {error}.") from error
        self.stdout.write(f"{hook.provider} hook {hook.pk} is accepted again and will be worked on at once.")
