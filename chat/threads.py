"""Questions to PostgreSQL and Redis from the event loop: on two threads that stay, with connections that stay.

The requests' threads are not borrowed: a socket must not wait behind pages, nor pages behind sockets.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import close_old_connections

THREADS: Final = 2
R = TypeVar("R")

_threads = ThreadPoolExecutor(THREADS, "live")


async def ask(question: Callable[[], R]) -> R:
    """What it returns, or raises."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _answer, question)


def _answer(question: Callable[[], R]) -> R:
    close_old_connections()
    try:
        return question()
    finally:
        close_old_connections()
