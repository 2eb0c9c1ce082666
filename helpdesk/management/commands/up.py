from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk import supervisor


class Command(BaseCommand):
    help = "Runs the whole helpdesk: PostgreSQL, Valkey, web, worker, beat, mail and keep_promises, until Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        code = supervisor.main()
        if code:
            raise CommandError("The helpdesk could not run.", returncode=code)
