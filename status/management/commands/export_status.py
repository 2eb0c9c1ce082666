from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from status import exporting


class Command(BaseCommand):
    help = "Writes the public status page and its API as static files into a folder, for another host to serve."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", help="where to; it is made if it is not there")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["folder"]).resolve()
        try:
            written = exporting.export(folder, at=now())
        except exporting.NotThere as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{written} files are new or different in {folder}")
