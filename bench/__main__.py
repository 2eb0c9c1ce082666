"""`python -m bench [names] [--quick] [--rows N]`: ours beside bare PostgreSQL and django-helpdesk, in one run."""

import argparse
import sys
import traceback
import warnings
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO

import django
from django.core.management import call_command
from django.db import connection

from bench import ground, table
from bench.rounds import heading
from bench.sizes import Sizes

# What can be measured: name → module with `run(sizes)`, which yields rows. In this order.
BENCHMARKS = {
    "accept": "bench.accepting",
    "file": "bench.filing",
    "api": "bench.api",
    "pages": "bench.paging",
    "silence": "bench.silence",
    "desk": "bench.desk",
    "live": "bench.live",
    "chat": "bench.chat",
    "status": "bench.status",
    "notices": "bench.notices",
    "knowledge": "bench.knowledge",
    "social": "bench.social",
    "paint": "bench.paint",
    "restart": "bench.restarting",
}
# The desk's pages and the sweep share one large database, so they are one benchmark under several names.
ALIASES = {"queue": "desk", "ticket": "desk", "sweep": "desk"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join([*BENCHMARKS, *ALIASES]))
    parser.add_argument("--quick", action="store_true", help="small sizes: minutes instead of half an hour")
    parser.add_argument("--rows", type=int, help="mails, pages, tickets or conversations, instead of the usual number")
    parser.add_argument("--no-peers", action="store_true", help="install and run no peers")
    given = parser.parse_args()
    unknown = set(given.names) - BENCHMARKS.keys() - ALIASES.keys()
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    wanted = {ALIASES.get(name, name) for name in given.names} or BENCHMARKS.keys()
    warnings.filterwarnings("ignore", "No directory at")  # whitenoise, where no files were collected
    ground.prepare()
    django.setup()
    with redirect_stdout(StringIO()):
        call_command("prepare_database")
    connection.close()
    ground.keep()
    sizes = Sizes(given.quick, given.rows, not given.no_peers)
    print(f"{heading()}. Medians of 3 interleaved rounds; p50 / p95 of times.")
    print(
        "cost: times the bare statement; faster: times the peer, django-helpdesk; foreign: CPU used by others, at most."
    )
    print(table.head(), flush=True)
    try:
        failed = [name for name, module in BENCHMARKS.items() if name in wanted and not _run(name, module, sizes)]
    finally:
        connection.close()
        ground.forget_all()
    return 1 if failed else 0


def _run(name: str, module: str, sizes: Sizes) -> bool:
    """Print one benchmark's rows. One that fails says so, and the others go on."""
    try:
        for row in import_module(module).run(sizes):
            print(table.line(row), flush=True)
    except Exception:  # noqa: BLE001 - whatever it was, it is printed, and the others are still worth measuring
        traceback.print_exc()
        print(f"{name} FAILED", flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
