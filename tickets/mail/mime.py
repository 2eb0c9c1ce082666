"""The tree of a mail: header fields and parts as slices of the raw bytes.

The standard library's parser recurses once a nesting level and touches every line in Python; this one subdivides the
bytes with compiled searches and stops at limits, so depth, number of parts and time are bounded by construction.
Attached messages (message/rfc822) are leaves: what is inside them is somebody else's mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tickets.mail.encoded_words import text_of
from tickets.mail.parameters import parse_parameters

MAX_PARTS = 200
MAX_DEPTH = 50
MAX_HEADER_BYTES = 256 * 1024
MAX_PART_HEADER_BYTES = 16 * 1024
MAX_FIELDS = 1_000
_MAX_SCANNED_BYTES = 400_000_000
_MAX_BOUNDARY = 500

_BLANK_LINE = re.compile(rb"\n\r?\n")
_FIELD_NAME = re.compile(rb"[!-9;-~]{1,100}+[ \t]*+")
_KNOWN_FIELD = re.compile(
    rb"(content-[a-z-]+|mime-version|received|return-path|from|to|cc|bcc|subject|date|message-id|in-reply-to|references"
    rb"|reply-to|sender|delivered-to|dkim-signature|list-[a-z-]+|x-[a-z0-9-]+)[ \t]*:",
    re.IGNORECASE,
)
# A stray line must not make these unreadable.
_IDENTITIES = frozenset(("from", "sender", "reply-to", "message-id", "date"))
_BOUNDARY_LINE = re.compile(rb"^--([^\r\n]{1,200}?)[ \t]*\r?\n(?=Content-)", re.IGNORECASE | re.MULTILINE)
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*+(?=\r?\n|\Z)")


class _Delimiter(NamedTuple):
    """Where a boundary line begins (at the line feed before it) and ends."""

    start: int
    end: int
    closes: bool


@dataclass(slots=True)
class Entity:
    """One MIME entity: `fields` are (lower-case name, unfolded raw value); `raw[start:end]` is its body."""

    fields: list[tuple[str, bytes]]
    raw: bytes
    start: int
    end: int
    content_type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    children: list["Entity"] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """The encoded body."""
        return self.raw[self.start : self.end]

    def first(self, name: str) -> bytes:
        """The first raw value of a field; empty where there is none."""
        return next((value for key, value in self.fields if key == name), b"")


def split(raw: bytes) -> tuple[Entity, list[str]]:
    """The root entity and the defects found, in words. Never raises; at most MAX_PARTS entities, MAX_DEPTH deep."""
    defects: list[str] = []
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
        defects.append("line ends are bare CR")
    start = len(raw) - len(raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
    root = _entity(raw, start, len(raw), MAX_HEADER_BYTES, "text/plain", defects)
    todo = [(root, 1)]
    parts, scanned = 1, 0
    while todo:
        entity, depth = todo.pop()
        if not entity.content_type.startswith("multipart/"):
            continue
        scanned += entity.end - entity.start
        if depth >= MAX_DEPTH or scanned > _MAX_SCANNED_BYTES:
            defects.append(f"parts nested deeper than {MAX_DEPTH}" if depth >= MAX_DEPTH else "too much nesting")
            entity.content_type = "application/octet-stream"
            continue
        default = "message/rfc822" if entity.content_type == "multipart/digest" else "text/plain"
        for start, end in _spans(entity, defects):
            if parts >= MAX_PARTS:
                defects.append(f"more than {MAX_PARTS} parts")
                break
            parts += 1
            entity.children.append(_entity(raw, start, end, MAX_PART_HEADER_BYTES, default, defects))
        if not entity.children:
            defects.append("multipart without parts")
            entity.content_type = "text/plain"
        todo.extend((child, depth + 1) for child in reversed(entity.children))
    return root, list(dict.fromkeys(defects))


def _spans(entity: Entity, defects: list[str]) -> Iterator[tuple[int, int]]:
    """Start and end of every part. A close delimiter hides only the text up to the next delimiter, not later parts."""
    boundary = entity.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
    delimiters = _delimiters(entity, boundary) if 0 < len(boundary) <= _MAX_BOUNDARY else iter(())
    previous = next(delimiters, None)
    if previous is None:
        found = _BOUNDARY_LINE.search(entity.raw, entity.start, min(entity.end, entity.start + 65_536))
        if found is None:
            return
        defects.append("multipart boundary is missing or wrong")
        delimiters = _delimiters(entity, found[1])
        previous = next(delimiters, None)
    while previous is not None:
        following = next(delimiters, None)
        start = entity.raw.find(b"\n", previous.end, entity.end) + 1 or entity.end
        end = following.start if following else entity.end
        if not previous.closes and start <= end:
            if following is None:
                defects.append("multipart is not closed")
            yield start, end - 1 if following and entity.raw[end - 1 : end] == b"\r" and end > start else end
        previous = following


def _delimiters(entity: Entity, boundary: bytes) -> Iterator[_Delimiter]:
    """Found by hand: a pattern with the boundary in it would have to be compiled for every mail."""
    line = b"\n--" + boundary
    start = entity.raw.find(line, max(0, entity.start - 1), entity.end)
    while start >= 0:
        rest = _AFTER_BOUNDARY.match(entity.raw, start + len(line), entity.end)
        if rest is not None:
            yield _Delimiter(start, rest.end(), rest[1] is not None)
        start = entity.raw.find(line, rest.end() if rest else start + 1, entity.end)


def _entity(raw: bytes, start: int, end: int, header_limit: int, default: str, defects: list[str]) -> Entity:
    blank = None if raw[start : start + 1] == b"\n" or raw[start : start + 2] == b"\r\n" else True
    if blank is None:
        fields: list[tuple[str, bytes]] = []
        body = raw.find(b"\n", start, end) + 1 or end
    else:
        match = _BLANK_LINE.search(raw, start, end)
        header_end = match.start() + 1 if match else end
        fields, stopped = header_fields(raw[start : min(header_end, start + header_limit)], defects)
        if stopped is not None:
            body = start + stopped
        else:
            body = match.end() if match else end
            if header_end - start > header_limit:
                defects.append(f"more than {header_limit // 1024} kB of headers")
    entity = Entity(fields, raw, body, end, default)
    declared = entity.first("content-type")
    if declared.strip():
        kind, entity.parameters = parse_parameters(text_of(declared))
        entity.content_type = _content_type(kind)
    return entity


def _content_type(kind: str) -> str:
    main, slash, sub = (part.strip() for part in kind.partition("/"))
    if slash and main and sub and not re.search(r"[\s\"()<>@,;:\\/\[\]?=]", main + sub):
        return f"{main}/{sub}"[:127]
    if kind.startswith("text"):
        return "text/html" if "html" in kind else "text/plain"
    # RFC 2045 section 5.2: what cannot be read is text; an attachment's bytes and name say better what it is.
    return "multipart/mixed" if kind.startswith("multipart") else "text/plain"


def header_fields(block: bytes, defects: list[str]) -> tuple[list[tuple[str, bytes]], int | None]:
    """Fields of a header block, and where it turned out to be body already (None: it was all header)."""
    lines = block.split(b"\n")
    found: list[tuple[str, list[bytes]]] = []
    offset = 0
    for index, written in enumerate(lines):
        line = written
        if not found:
            line = line.lstrip(b" \t")
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t"):
            found[-1][1].append(line.rstrip(b"\r"))
        elif colon and _FIELD_NAME.fullmatch(name):
            if len(found) >= MAX_FIELDS:
                defects.append(f"more than {MAX_FIELDS} header fields")
                break
            found.append((name.rstrip().lower().decode("ascii"), [value.rstrip(b"\r")]))
        elif line.strip() and not (index == 0 and line.startswith((b"From ", b">From "))):
            if not any(_KNOWN_FIELD.match(later) for later in lines[index + 1 : index + 4]):
                if found:
                    defects.append("no blank line after the headers")
                return [(name, b"".join(values)) for name, values in found], offset
            defects.append("malformed header line")
            if found and (b"@" in line or found[-1][0] not in _IDENTITIES):
                found[-1][1].append(b" " + line.strip())
        offset += len(written) + 1
    return [(name, b"".join(values).strip()) for name, values in found], None
