from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from chat import log
from social import accounts


class Command(BaseCommand):
    help = (
        "Migrates the database, collects the static files and, where the demo is wanted and nobody is in it yet, "
        "loads the demo company."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        log.forget_positions_from_elsewhere()
        accounts.keep_environment(at=timezone.now())
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.HELPDESK_DEMO and not get_user_model().objects.exists():
            call_command("load_demo")
