"""What an ESP sent us, read as bytes: form fields as they came, JSON text back to the bytes of a mail, and mails put
together from fields where the ESP hands out no MIME."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from django.http import QueryDict

_MAX_FIELDS: Final = 1000
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_HEADER_NAME: Final = re.compile(r"[!-9;-~]{1,200}")
_LINE_ENDS: Final = re.compile(r"[\r\n\x00]+[ \t]*")
_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+")


@dataclass(frozen=True, slots=True)
class File:
    """An attached file; `name` may be anything."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an ESP, its body as it came."""

    body: bytes
    content_type: str
    headers: dict[str, str]

    @property
    def is_json(self) -> bool:
        return not self.content_type.lower().startswith(("multipart/form-data", "application/x-www-form-urlencoded"))

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, File]:
        """The fields of a form, undecoded; the last one of a name counts. Raises ValueError.

        Django's own parser decodes fields as UTF-8, which destroys 8-bit mail, and drops files with odd names.
        """
        if self.content_type.lower().startswith("multipart/form-data"):
            return dict(_multipart(self.body, self.content_type))
        pairs = parse_qsl(
            self.body.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=_MAX_FIELDS
        )
        return {name: File("", "", value.encode("latin-1")) for name, value in pairs}

    def as_post(self) -> QueryDict:
        """The form's fields as Django would give them, for signature checks."""
        post = QueryDict(mutable=True)
        if not self.is_json:
            for name, field in self.form().items():
                if not field.name:
                    post[name] = field.content.decode("utf-8", "replace")
        return post


def _multipart(body: bytes, content_type: str) -> Iterable[tuple[str, File]]:
    boundary = _parameters(content_type, "Content-Type").get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise ValueError("multipart/form-data without a boundary")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if len(pieces) > _MAX_FIELDS:
        raise ValueError("too many fields")
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        head, _, content = piece.partition(b"\r\n\r\n")
        headers = Message()
        for line in head.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip()] = value.strip()
        field = headers.get_param("name", header="content-disposition")
        if isinstance(field, str):
            yield field, File(headers.get_filename("") or "", headers.get("content-type", ""), content)


def _parameters(value: str, header: str) -> Message:
    message = Message()
    message[header] = value
    return message


def mail_bytes(text: str) -> bytes:
    """The bytes of a mail that came as a JSON string.

    An ESP that decodes 8-bit mail uses the charset the mail declares, so encoding with it gives the sender's bytes
    back; UTF-8 where the mail says so, says nothing, or the text does not fit.
    """
    if text.isascii():
        return text.encode()
    charsets = [name.lower() for name in _CHARSET.findall(text[: 256 * 1024])]
    for charset in [] if "utf-8" in charsets else [name for name in charsets if name != "us-ascii"]:
        try:
            return text.encode(charset)
        except (LookupError, UnicodeError):
            continue
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeError:
        return text.encode("utf-8", "replace")


def compose(headers: Iterable[tuple[str, str]], text: str, html: str, files: Sequence[File]) -> bytes:
    """A mail from an ESP's fields: always the same bytes for the same fields, whatever is in them."""
    lines = []
    for name, value in headers:
        if _HEADER_NAME.fullmatch(name) and not name.lower().startswith("content-") and name.lower() != "mime-version":
            lines.append(f"{name}: {_LINE_ENDS.sub(' ', value)}".encode("utf-8", "replace"))
    bodies = [
        _part(f"text/{kind}; charset=utf-8", [], content.encode("utf-8", "replace"))
        for kind, content in (("plain", text), ("html", html))
        if content or (kind == "plain" and not html)
    ]
    parts = [bodies[0] if len(bodies) == 1 else _multi("alternative", bodies)]
    parts += [_part(_safe_type(file.content_type), _disposition(file), file.content) for file in files]
    lines += [b"MIME-Version: 1.0", parts[0] if len(parts) == 1 else _multi("mixed", parts)]
    return b"\r\n".join(lines)


def _part(content_type: str, headers: list[str], content: bytes) -> bytes:
    head = [f"Content-Type: {content_type}", "Content-Transfer-Encoding: base64", *headers, "", ""]
    return "\r\n".join(head).encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")


def _multi(subtype: str, parts: list[bytes]) -> bytes:
    boundary = hashlib.sha256(b"\0".join(parts)).hexdigest()[:40].encode()
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (subtype.encode(), boundary)
    return head + b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary


def _safe_type(content_type: str) -> str:
    found = _TYPE.match(content_type.strip())
    return (
        found[0]
        if found and not found[0].lower().startswith(("multipart/", "message/"))
        else "application/octet-stream"
    )


def _disposition(file: File) -> list[str]:
    # RFC 2231 §4: nothing in the name can break out of the header.
    name = quote(_LINE_ENDS.sub(" ", file.name or "attachment").encode("utf-8", "replace"), safe="")
    kind = "inline" if file.content_id else "attachment"
    lines = [f"Content-Disposition: {kind}; filename*=utf-8''{name}"]
    content_id = "".join(c for c in file.content_id.strip("<> ") if "!" <= c <= "~" and c not in "<>")
    return [*lines, f"Content-ID: <{content_id}>"] if content_id else lines
