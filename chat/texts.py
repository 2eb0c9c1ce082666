"""JSON that strangers send, as data that PostgreSQL can keep."""

import json
from typing import Any


def loaded(text: str) -> Any:
    """What a JSON text says. Raises ValueError where it is none, nests too deeply, or holds halves of characters
    (a lone surrogate, RFC 8259 section 8.2), which no UTF-8 can carry on.
    """
    try:
        given = json.loads(text)
        if "\\u" in text:
            json.dumps(given, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return given
