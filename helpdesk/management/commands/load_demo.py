from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from helpdesk import demo
from helpdesk.customers.models import User
from knowledge import starting


class Command(BaseCommand):
    help = "Load the demo company into an empty database; does nothing in one that has agents."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            self.stdout.write("The database has agents already: nothing loaded.")
            return
        at = timezone.now()
        with transaction.atomic():
            demo.load(at=at)
            demo.load_social(at=at)
            starting.load(User.objects.filter(role=User.Role.ADMIN).first(), at=at)
        self.stdout.write("The demo company is here.")
