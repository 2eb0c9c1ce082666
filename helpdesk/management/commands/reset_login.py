from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from helpdesk.customers.models import User
from helpdesk.events.actors import SYSTEM
from helpdesk.people import actions as people


class Command(BaseCommand):
    help = "For an agent who lost their second factor: forget it, and single sign-on's tie, and end all sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        agent = User.objects.filter(email=email.strip().lower()).first()
        if agent is None:
            raise CommandError(f"there is no agent {email}")
        people.reset_login(agent, actor=SYSTEM, at=timezone.now())
        self.stdout.write(f"{agent.email} logs in by the password alone again")
