"""Sockets are cut and servers killed while visitors and agents talk: every tab shows everything, once and in order.

CHAOS_SEEDS, CHAOS_VISITORS and CHAOS_MESSAGES make it the long run (10, 40 and 8: `make chaos`); the suite has a short
one.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg2
import pytest

from tests.chaos.chat_chaos import Chaos, Figures, run
from tests.chaos.product import ROOT, Product

SEEDS = int(os.environ.get("CHAOS_SEEDS", "1"))
VISITORS = int(os.environ.get("CHAOS_VISITORS", "4"))
MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "2"))
# The last kills all of it at once: web, worker, PostgreSQL, Valkey and what would start them again.
VICTIMS = ("web", "valkey", "web", "valkey", "tree") if VISITORS > 10 else ("web", "valkey")
PACE = 3.0 if VISITORS > 10 else 1.5
AGENTS = ("ada", "grace", "linus", "grace")
PATIENCE = 90.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes to kill in /proc")


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "data")
    product.start()
    yield product
    product.kill("tree")


def wait_until_ready(product: Product) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        product.keep_running()
        try:
            if httpx.get(f"http://127.0.0.1:{product.port}/healthz/live", trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(product.log.read_text(errors="replace")[-3000:])


def kill(product: Product, name: str) -> bool:
    """Killed before, it may not be back yet: a kill of nothing counts for nothing."""
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        if product.kill(name):
            return True
        time.sleep(0.05)
    return False


def tokens(product: Product) -> list[str]:
    """One of each agent's, made as an administrator would."""
    program = (
        "from django.utils.timezone import now\n"
        "from helpdesk.customers import actions\nfrom helpdesk.customers.models import User\n"
        f"for name in {AGENTS}:\n"
        "    user = User.objects.get(email=name + '@demo.example')\n"
        "    print('token', actions.create_token(user, 'chaos', at=now()))\n"
    )
    said = subprocess.check_output(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", program], cwd=ROOT, env=product.env, text=True
    )
    return [line.split()[1] for line in said.splitlines() if line.startswith("token ")]


def written(product: Product, conversations: list[int]) -> dict[int, list[tuple[int, str]]]:
    """The messages that customers see, by conversation, with their public numbers."""
    question = """
        SELECT event.conversation_id, event.public_seq, message.text
        FROM helpdesk_event AS event
        JOIN helpdesk_message AS message ON message.conversation_id = event.conversation_id
            AND message.id = (event.data ->> 'message')::bigint
        WHERE event.conversation_id = ANY(%s) AND event.public_seq IS NOT NULL
            AND event.kind IN ('conversation.opened', 'message.received', 'message.written')
        ORDER BY event.conversation_id, event.public_seq
    """
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        product.keep_running()
        try:
            connection = product.database()
            with connection.cursor() as cursor:
                cursor.execute(question, [conversations])
                found: dict[int, list[tuple[int, str]]] = {}
                for conversation, number, text in cursor.fetchall():
                    found.setdefault(conversation, []).append((number, text))
            connection.close()
            return found
        except (psycopg2.Error, OSError, KeyError, ValueError):
            time.sleep(0.2)
    raise AssertionError("the database did not come back")


async def chaos_of(product: Product, seed: int, agents: list[str]) -> Figures:
    chaos = Chaos(f"127.0.0.1:{product.port}", agents, seed, MESSAGES, PACE)

    async def killing() -> None:
        for name in VICTIMS:
            await asyncio.sleep(chaos.chance.uniform(PACE / 3, PACE))
            chaos.figures.killed[name] += await asyncio.to_thread(kill, product, name)
            await asyncio.to_thread(product.keep_running)

    async def log(conversations: list[int]) -> dict[int, list[tuple[int, str]]]:
        return await asyncio.to_thread(written, product, conversations)

    return await run(chaos, VISITORS, killing, log)


def test_nothing_is_lost_nothing_comes_twice_and_everything_in_order(product: Product) -> None:
    wait_until_ready(product)
    agents = tokens(product)
    for seed in range(1, SEEDS + 1):
        # The last seed's tree was killed last, perhaps when every tab had seen everything.
        wait_until_ready(product)
        figures = asyncio.run(chaos_of(product, seed, agents))
        sys.stdout.write(f"seed {seed}: {vars(figures)}\n")
        assert (figures.said, figures.answered) == (VISITORS * MESSAGES, VISITORS * MESSAGES)
        assert (figures.lost, figures.twice, figures.out_of_order) == (0, 0, 0), figures
        # On one connection the server itself repeats nothing and leaves nothing out.
        assert (figures.repeated, figures.gaps) == (0, 0), figures
        assert sum(figures.killed.values()) == len(VICTIMS)
