from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from tickets.mail import filing
from tickets.models import InboundEmail


class Command(BaseCommand):
    help = "File quarantined or blocked mail again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, nargs="*", help="ids of the ledger")
        parser.add_argument("--quarantined", action="store_true", help="all that is quarantined, oldest first")

    def handle(self, *args: Any, id: list[int], quarantined: bool, **options: Any) -> None:
        if bool(id) == quarantined:
            raise CommandError("give ids, or --quarantined")
        mails = (
            InboundEmail.objects.filter(state="quarantined") if quarantined else InboundEmail.objects.filter(pk__in=id)
        )
        known = list(mails.order_by("pk").defer("raw"))
        if missing := set(id) - {mail.pk for mail in known}:
            raise CommandError(f"there is no mail {', '.join(map(str, sorted(missing)))}")
        failed = [mail.pk for mail in known if not self._replay(mail)]
        if failed:
            raise CommandError(f"still not filed: {', '.join(map(str, failed))}")

    def _replay(self, mail: InboundEmail) -> bool:
        try:
            mail = filing.replay(mail, at=timezone.now())
        except filing.NotQuarantined as error:
            self.stderr.write(str(error))
            return False
        where = f" in conversation {mail.conversation_id}" if mail.conversation_id else ""
        self.stdout.write(f"mail {mail.pk}: {mail.state}{where} {mail.error}".rstrip())
        return mail.state != InboundEmail.State.QUARANTINED
