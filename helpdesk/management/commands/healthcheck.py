from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk import health


class Command(BaseCommand):
    help = "Exit code 0 if everything of /healthz is well; otherwise 1, and what is wrong."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        looks = {"ready": health.readiness(), "paging": health.promises(at), "mail": health.mail(at)}
        for name, (well, report) in looks.items():
            facts = ", ".join(f"{key} {value}" for key, value in report.items() if value not in (None, {}))
            self.stdout.write(f"{name}: {'ok' if well else 'NOT OK'}{f' ({facts})' if facts else ''}")
        if not all(well for well, _ in looks.values()):
            raise CommandError("Something is wrong.")
