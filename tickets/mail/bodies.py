"""From the MIME tree to what people read: text, HTML and attached files.

The tree gives a list of blocks in reading order, each a text, an HTML or both (multipart/alternative). Text and HTML of
the mail are then both complete renditions: a mailing list's plain footer is also at the end of the HTML.
"""

import html as markup
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from helpdesk.conversations.cleaning import body_text, one_line
from helpdesk.conversations.content_types import extension_for, sniff
from helpdesk.conversations.filenames import safe_name
from tickets.mail import html_limits
from tickets.mail.calendars import summarise
from tickets.mail.charsets import codec_for, decode
from tickets.mail.encoded_words import decode_words, text_of
from tickets.mail.flowed import unfold
from tickets.mail.html_text import MAX_LAYOUT_CHARS, to_text
from tickets.mail.mime import MAX_PART_HEADER_BYTES, MAX_PARTS, Entity, header_fields
from tickets.mail.parameters import parse_parameters
from tickets.mail.parsed import Part
from tickets.mail.tnef import SIGNATURE, Tnef, read_tnef
from tickets.mail.transfer import split_uuencoded, undo

MAX_TEXT_CHARS = 1_000_000
_MAX_DETECTED = 20
_MAX_TNEF_BYTES = 40_000_000
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_CID = re.compile(r"cid:([^\"'\s<>)]{1,500})", re.IGNORECASE)
_ENRICHED_TAG = re.compile(r"<param>[^<]{0,200}</param>|<(<)|</?[a-zA-Z-]{1,30}>")
_NEVER_BODY = frozenset(
    "text/calendar text/x-vcard text/vcard text/csv text/css text/javascript text/rfc822-headers text/rtf "
    "text/xml".split()
)
_TNEF_TYPES = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_STEMS = {"text/calendar": "invite", "message/delivery-status": "delivery-status", "text/rfc822-headers": "headers"}
_STEMS |= {"application/pgp-signature": "signature", "application/pkcs7-signature": "smime"}


@dataclass(slots=True)
class Block:
    """A stretch of the body; where both are given they say the same."""

    text: str = ""
    html: str = ""


@dataclass(slots=True)
class Content:
    """What the walk over the tree has gathered."""

    parts: list[Part] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    calendar: str = ""
    texts: int = 0
    # Whether the mail had no text of its own: it was made of the HTML.
    is_html_only: bool = False

    def decode(self, data: bytes, charset: str) -> str:
        """Bytes of a body to text; charsets are detected in the first parts only, it costs milliseconds each time."""
        self.texts += 1
        text, defect = decode(data, charset, detect=self.texts <= _MAX_DETECTED)
        self.defect(defect)
        return text

    def defect(self, words: str) -> None:
        if words and words not in self.defects:
            self.defects.append(words)

    def attach(self, name: str, declared: str, content: bytes, content_id: str = "", stem: str = "") -> None:
        """Keep a file under a safe name; nameless ones get a name from their kind and number."""
        if len(self.parts) >= MAX_PARTS:
            self.defect(f"more than {MAX_PARTS} attachments")
            return
        kind = sniff(content, name, declared)
        stem = stem or _STEMS.get(declared) or ("image" if kind.startswith("image/") else "part")
        fallback = f"{stem}{f'-{len(self.parts) + 1}' if stem in ('image', 'part') else ''}{extension_for(kind)}"
        self.parts.append(Part(safe_name(name, safe_name(fallback, "file")), kind, declared, content, content_id))


def collect(root: Entity) -> tuple[str, str, Content]:
    """(text, raw HTML, the rest) of a whole mail."""
    content = Content()
    blocks = _blocks(root, content, root=True)
    blocks = [block for block in blocks if block.text.strip() or block.html.strip()]
    rendered = _html(blocks) if any(block.html for block in blocks) else ""
    if len(rendered) > html_limits.MAX_CHARS:
        content.defect(f"HTML larger than {html_limits.MAX_CHARS // 1_000_000} MB is attached as a file")
        content.attach("message.html", "text/html", rendered.encode("utf-8", "replace"))
        text, rendered = _text(blocks), ""
    else:
        text = _text(blocks)
        content.is_html_only = bool(rendered) and not any(block.text.strip() for block in blocks)
    if len(text) > MAX_TEXT_CHARS:
        content.defect(f"text longer than {MAX_TEXT_CHARS} characters is attached as a file")
        content.attach("message.txt", "text/plain", text.encode("utf-8", "replace"))
        text = text[:MAX_TEXT_CHARS]
    _mark_inline(content, rendered)
    return text or content.calendar, rendered, content


def _text(blocks: list[Block]) -> str:
    texts: list[str] = []
    markup_chars = 0
    for block in blocks:
        text = block.text
        if not text.strip():
            markup_chars += len(block.html)
            text = to_text(block.html, layout=markup_chars <= MAX_LAYOUT_CHARS)
        if text.strip():
            texts.append(text.strip("\n"))
    return "\n\n".join(texts)


def _html(blocks: list[Block]) -> str:
    return "\n".join(
        block.html or f'<div style="white-space:pre-wrap">{markup.escape(block.text, quote=False)}</div>'
        for block in blocks
    )


def _mark_inline(content: Content, html: str) -> None:
    if not html or not any(part.content_id for part in content.parts):
        return
    used = {unquote(match[1]).lower() for match in _CID.finditer(html)}
    content.parts = [
        Part(part.name, part.content_type, part.declared_type, part.content, part.content_id, inline=True)
        if part.content_id and part.content_id.lower() in used
        else part
        for part in content.parts
    ]


def _blocks(entity: Entity, content: Content, root: bool = False, alternative: bool = False) -> list[Block]:
    """Depth of the recursion is at most mime.MAX_DEPTH, which the tree was cut to."""
    if not entity.children:
        return _leaf(entity, content, root, alternative)
    choice = entity.content_type == "multipart/alternative"
    inner = [_blocks(child, content, alternative=choice) for child in entity.children]
    if not choice:
        return [block for blocks in inner for block in blocks]
    plain = next((b for b in inner if any(x.text.strip() for x in b) and not any(x.html for x in b)), None)
    rich = next((b for b in reversed(inner) if any(x.html.strip() for x in b)), None)
    if rich is None:
        return plain or []
    text = _text(plain) if plain else _text(rich) if any(x.text.strip() for x in rich) else ""
    return [Block(text, _html(rich))]


def _leaf(entity: Entity, content: Content, root: bool, alternative: bool) -> list[Block]:
    disposition, named = parse_parameters(text_of(entity.first("content-disposition")))
    name = named.get("filename") or named.get("name") or entity.parameters.get("name") or ""
    data, defect = undo(entity.body, text_of(entity.first("content-transfer-encoding")))
    content.defect(defect)
    kind = entity.content_type
    if kind == "text/x-amp-html":
        return []
    if kind in _TNEF_TYPES or (data.startswith(SIGNATURE) and name.lower().endswith(".dat")):
        return _tnef(name, kind, data, content)
    is_text = kind.startswith("text/") and kind not in _NEVER_BODY
    if is_text and (root or alternative or not name) and not disposition.startswith("attachment"):
        return _body(entity, data, content)
    if not data.strip() and not name and not entity.fields:
        return []
    if kind == "text/calendar" or kind == "application/ics":
        content.calendar = content.calendar or summarise(decode(data, entity.parameters.get("charset", ""))[0])
    content_id = one_line(text_of(entity.first("content-id")), 250).strip("<> ")
    stem = _subject(data) if kind == "message/rfc822" else ""
    name = name or text_of(entity.first("content-location"))
    content.attach(f"{name}.eml" if stem and name and "." not in name else name, kind, data, content_id, stem)
    return []


def _subject(data: bytes) -> str:
    fields, _ = header_fields(data[:MAX_PART_HEADER_BYTES].lstrip(b"\r\n").partition(b"\n\n")[0], [])
    subject = next((value for key, value in fields if key == "subject"), b"")
    return one_line(decode_words(text_of(subject)), 80) or "message"


def _body(entity: Entity, data: bytes, content: Content) -> list[Block]:
    charset = entity.parameters.get("charset", "")
    if entity.content_type == "text/html":
        if not codec_for(charset) and (meta := _META_CHARSET.search(data[:2_048])):
            charset = meta[1].decode("ascii")
        return [Block(html=content.decode(data, charset))]
    if b"begin " in data or b"begin-base64 " in data:
        files, data = split_uuencoded(data)
        for raw_name, file in files:
            content.attach(text_of(raw_name), "application/octet-stream", file)
    text = body_text(content.decode(data, charset))
    if entity.content_type in ("text/enriched", "text/richtext"):
        text = _ENRICHED_TAG.sub(lambda match: match[1] or "", text)
    elif entity.parameters.get("format", "").lower() == "flowed" and len(text) <= MAX_TEXT_CHARS:
        text = unfold(text, delsp=entity.parameters.get("delsp", "").lower() == "yes")
    return [Block(text=text)]


def _tnef(name: str, kind: str, data: bytes, content: Content) -> list[Block]:
    found: Tnef | None = read_tnef(data) if len(data) <= _MAX_TNEF_BYTES else None
    if found is None or not found.complete:
        content.defect("TNEF attachment is damaged")
    if found is None or not (found.files or found.text or found.html):
        content.attach(name, kind, data)
        return []
    for file in found.files:
        content.attach(file.name, file.mime_type.lower(), file.content, one_line(file.content_id, 250).strip("<> "))
    if not found.complete:
        content.attach(name, kind, data)
    return [Block(body_text(found.text), found.html)]
