from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from helpdesk.embedded.setup_token import setup_token


class Command(BaseCommand):
    help = "Prints the link by which the first admin is made, while there is nobody."

    def handle(self, *args: Any, **options: Any) -> None:
        if get_user_model().objects.exists():
            raise CommandError("There is an agent already: an admin invites further ones.")
        self.stdout.write(f"{settings.PUBLIC_URL}/desk/welcome/?token={setup_token(settings.SECRET_KEY)}")
