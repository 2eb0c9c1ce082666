"""What PostgreSQL and a page can take: no NUL and no lone surrogates anywhere in a ParsedMail."""

import re
from dataclasses import fields, is_dataclass
from typing import Any

from helpdesk.conversations.cleaning import one_line
from tickets.mail.parsed import ParsedMail

_REFUSED = re.compile(r"[\x00\ud800-\udfff]")


def assert_storable(found: ParsedMail) -> None:
    for text in _texts(found):
        assert not _REFUSED.search(text), repr(text[:200])
    lines = [found.subject, found.message_id, *(part.name for part in found.attachments)]
    lines += [found.sender.name] if found.sender else []
    assert all(line == one_line(line) for line in lines), lines
    assert all(part.name for part in found.attachments)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *_texts(item))]
    if is_dataclass(value):
        return [text for field in fields(value) for text in _texts(getattr(value, field.name))]
    return []
