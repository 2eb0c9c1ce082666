"""What many wait for at once is made once, on a thread: for the event loop of what answers before Django."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

# Two, so that one slow thing that nobody has asked for before does not keep all others waiting.
THREADS: Final = 2
T = TypeVar("T")


class MadeOnce:
    """Whoever asks for what is being made waits for that one. It is kept by nobody here: what is asked for afterwards
    is made anew. `name` is the threads'.
    """

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(THREADS, name)
        self._being_made: dict[Hashable, asyncio.Future[Any]] = {}

    async def wait(self, key: Hashable, make: Callable[..., T], *given: object) -> T:
        """What `make(*given)` returns or raises. Who stops waiting does not stop it for the others."""
        made: asyncio.Future[T] | None = self._being_made.get(key)
        if made is None:
            made = asyncio.get_running_loop().run_in_executor(self._threads, make, *given)
            self._being_made[key] = made
            made.add_done_callback(lambda _made: self._being_made.pop(key, None))
        return await asyncio.shield(made)

    def close(self) -> None:
        """End the threads, and their connections."""
        self._threads.shutdown()
