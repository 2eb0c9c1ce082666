"""Reading a batch item by item: what cannot be read is one item of it, never the end of the rest."""

import json
from collections.abc import Callable
from typing import Any

from social.happenings import Batch, Edited, Happening, Removed, Said, Unread

Found = list[tuple[str, Happening]] | str


class Gathering:
    """`take` reads one item: happenings with the id of the account they belong to, or why there is nothing to do."""

    def __init__(self) -> None:
        self._happenings: list[tuple[str, Happening]] = []
        self._unread: list[Unread] = []
        self._ignored: list[str] = []

    def take(self, raw: Any, read: Callable[[], Found]) -> None:
        """Whatever is wrong with an item is written down beside it as it came."""
        try:
            found = read()
            _check(found)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError, RecursionError) as error:
            self._unread.append(Unread(f"{type(error).__name__}: {error}"[:300], as_it_came(raw)))
            return
        if isinstance(found, str):
            self._ignored.append(found)
        else:
            self._happenings += found

    def done(self) -> Batch:
        return Batch(tuple(self._happenings), tuple(self._unread), tuple(self._ignored))


def _check(found: Found) -> None:
    """What has no id cannot be told from what else has none."""
    for _account, happening in found if isinstance(found, list) else ():
        if isinstance(happening, Said | Edited | Removed) and happening.id in ("", "None"):
            raise ValueError("it has no id")


def as_it_came(raw: Any) -> str:
    """An item as JSON, cut to a length that can be kept."""
    try:
        return json.dumps(raw, default=str)[:100_000]
    except RecursionError:
        return "too deep to be written down"


def not_json(body: bytes, error: Exception) -> Batch:
    """A body that is no JSON at all."""
    return Batch(unread=(Unread(f"not JSON: {error}"[:300], body.decode("utf-8", "replace")[:100_000]),))
