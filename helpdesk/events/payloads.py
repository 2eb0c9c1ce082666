"""What providers tell us, as JSON or as a form, taken apart with care: nothing has to be what they document. Pure."""

import json
from typing import Any, Final
from urllib.parse import parse_qs

LARGEST_BODY: Final = 8 * 1024 * 1024
"""Bytes; PagerDuty sends 256 KB at most, Slack a message with all it may hold 2.5 MB."""
MOST_FIELDS: Final = 50


class UnreadablePayload(ValueError):
    """The body is not what the provider documents; the message says in what way."""


def json_object(raw: bytes) -> dict[str, Any]:
    """The body, which is one object. Raises UnreadablePayload, and nothing else whatever the bytes."""
    if len(raw) > LARGEST_BODY:
        raise UnreadablePayload("the body is too large")
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnreadablePayload("not JSON") from error
    if not isinstance(value, dict):
        raise UnreadablePayload("not a JSON object")
    return value


def form_fields(raw: bytes) -> dict[str, str]:
    """The first value of each field of a form. Raises UnreadablePayload, and nothing else whatever the bytes."""
    if len(raw) > LARGEST_BODY:
        raise UnreadablePayload("the body is too large")
    try:
        found = parse_qs(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise UnreadablePayload("not a form") from error
    return {name: values[0] for name, values in found.items()}


def as_dict(value: Any) -> dict[str, Any]:
    """The object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The list; an empty one for anything else."""
    return value if isinstance(value, list) else []
