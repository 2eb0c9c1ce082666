"""JSON lines in, JSON lines out: what a goal would be due, what a span of time would count. Needs no database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand

from helpdesk.sla.preview import MAX_LINE, preview_line


class Command(BaseCommand):
    help = "Reads questions about opening hours as JSON lines on standard input and answers each with a JSON line."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        for line in _lines(sys.stdin.buffer):
            self.stdout.write(json.dumps(preview_line(line)))
            self.stdout.flush()


def _lines(source: BinaryIO) -> Iterator[str]:
    """Lines of bounded length; the rest of a longer one is read past, so that it still gets exactly one answer.

    Bytes that are no UTF-8 become replacement characters, which a name or an instant refuses.
    """
    while line := source.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = source.readline(MAX_LINE + 1)
        yield line.decode("utf-8", "replace")
