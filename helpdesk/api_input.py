"""Reading a JSON body of a stranger: bounded, and holding only what PostgreSQL and UTF-8 can hold."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_BODY = 5_000_000
MAX_DEPTH = 20
_LARGEST = 2**63 - 1


class BoundedJSONParser(JSONParser):
    """JSON (RFC 8259) of at most MAX_BODY bytes, without NaN, NUL, lone surrogates, or integers beyond 64 bits."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(MAX_BODY + 1)
        if len(raw) > MAX_BODY:
            raise RequestDataTooBig(f"a request holds at most {MAX_BODY} bytes")
        try:
            data = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"This is not JSON in UTF-8: {error}") from error
        _check(data)
        return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _check(data: object) -> None:
    """Walks without recursion: what cannot be stored is refused here, once for every field of every endpoint."""
    waiting: list[tuple[object, int]] = [(data, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ParseError("The JSON is nested too deeply.")
        if isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]
        elif isinstance(value, str):
            _check_text(value)
        elif isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
            raise ParseError("Integers have at most 64 bits.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ParseError("Numbers must be finite.")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("Texts cannot hold the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ParseError("Texts cannot hold lone surrogates.") from error
