"""`manage.py receive_email`: one mail on standard input into the ledger, for pipes of mail servers and for imports.

Exit codes as mail servers know them (sysexits.h): 0 kept, 75 try again, 65 nothing was given.
"""

import sys
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from tickets.mail import ledger
from tickets.mail.ledger import Arrived
from tickets.mail.oversized import header_only

EX_DATAERR: Final = 65
EX_TEMPFAIL: Final = 75


class Command(BaseCommand):
    help = "Receive one RFC 5322 message on standard input."
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # A mistyped option is no fault of the mail: the server shall keep it until the option is right.
        parser.error = _try_again  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", default="", metavar="ADDRESS", help="the envelope's recipient")
        parser.add_argument("--at", type=_instant, metavar="ISO8601", help="when it was received; without a zone, UTC")

    def handle(self, *args: Any, to: str = "", at: datetime | None = None, **options: Any) -> None:
        now = timezone.now()
        try:
            raw = _read()
            if not raw.strip():
                sys.stderr.write("nothing on standard input\n")
                sys.exit(EX_DATAERR)
            ledger.accept([Arrived("pipe", raw, "", (to,) if to else (), None, at or now)], at=now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the sender still has the mail and shall try again
            _try_again(f"{error.__class__.__name__}: {error}")


def _read() -> bytes:
    """Standard input, up to the largest mail we take; of a larger one its header."""
    limit: int = settings.MAIL_SIZE_LIMIT
    raw = sys.stdin.buffer.read(limit + 1)
    if len(raw) <= limit:
        return raw
    size = len(raw)
    while piece := sys.stdin.buffer.read(2**20):
        size += len(piece)
    header = raw[: 2**20].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return header_only(header, size, limit, where="The rest was not kept.")


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"not a time in ISO 8601: {text!r}") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _try_again(message: str) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    sys.exit(EX_TEMPFAIL)
