from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from helpdesk.customers import actions as customers
from helpdesk.customers.models import User


class Command(BaseCommand):
    help = "Print a new API token of an agent, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="command line")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active agent {email}")
        self.stdout.write(customers.create_token(user, name, at=timezone.now()))
