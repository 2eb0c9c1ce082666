"""What a file is, from its bytes and its extension; the sender's claim counts last and never makes a picture."""

import mimetypes
import re

import puremagic

OCTETS = "application/octet-stream"
_SNIFFED_BYTES = 4_096
_TYPES = mimetypes.MimeTypes()
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"{\\rtf", "application/rtf"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x7fELF", "application/x-executable"),
)
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIPPED = re.compile(r"application/(vnd\.(openxmlformats|oasis|ms-|apple\.).*|epub\+zip|java-archive|x-.*zip.*)")
_OLE_TYPES = re.compile(r"application/(msword|vnd\.ms-.*|x-msi.*|vnd\.visio)")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|iframe|meta)\b", re.IGNORECASE)
_XML = re.compile(rb"<(?:\?xml|svg|!doctype\s+svg)\b", re.IGNORECASE)
_MARKUP_TYPES = frozenset({"application/xml", "application/xhtml+xml", "image/svg+xml"})
_MEDIA = ("image/", "audio/", "video/")
_TEXT_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_DECLARED = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "text/rfc822-headers": ".txt",
    "text/plain": ".txt",
    "text/calendar": ".ics",
    "image/jpeg": ".jpg",
    "application/xml": ".xml",
    "application/pgp-signature": ".asc",
    "application/pgp-encrypted": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/ms-tnef": ".dat",
}
_TRUSTED = re.compile(r"(message|multipart)/.*|text/calendar|application/(pgp-.*|pkcs7-.*|x-pkcs7-.*)")


def sniff(content: bytes, name: str, declared: str) -> str:
    """The content type to store. Only bytes make an `image/*`, `audio/*` or `video/*`; SVG is XML, HTML is HTML."""
    if _TRUSTED.fullmatch(declared):
        return declared
    head = content[:_SNIFFED_BYTES]
    extension = _by_extension(name)
    found = _by_magic(head, extension)
    if found:
        return found
    claimed = extension or (declared if _DECLARED.fullmatch(declared) else OCTETS)
    if not _TEXT_CONTROLS.search(head):
        return _text_type(head, claimed)
    if claimed.startswith(("text/", *_MEDIA)) or claimed in _MARKUP_TYPES or claimed == OCTETS:
        return _by_puremagic(head) or OCTETS
    return claimed


def _by_extension(name: str) -> str:
    kind, encoding = _TYPES.guess_type("x." + name.rpartition(".")[2]) if "." in name else (None, None)
    return "" if encoding or not kind else kind


def _by_magic(head: bytes, extension: str) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(_ARCHIVES):
        return extension if _ZIPPED.fullmatch(extension) else "application/zip"
    if head.startswith(_OLE):
        return extension if _OLE_TYPES.fullmatch(extension) else "application/x-ole-storage"
    return "application/vnd.microsoft.portable-executable" if head[:2] == b"MZ" and b"\x00" in head else ""


def _text_type(head: bytes, claimed: str) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _XML.match(start):
        return "application/xml"
    if start.startswith(b"<") and _HTML.search(head):
        return "text/html"
    if claimed in _MARKUP_TYPES:
        return "application/xml"
    if claimed.startswith(_MEDIA):
        return "text/plain" if head else OCTETS
    return claimed


def _by_puremagic(head: bytes) -> str:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return ""
    best = matches[0] if matches else None
    if best is None or not best.mime_type or len(best.byte_match) < 3:
        return ""
    kind = str(best.mime_type)
    return "application/xml" if kind in _MARKUP_TYPES else kind


def extension_for(kind: str) -> str:
    """The usual extension of a content type with its dot; ".bin" where there is none."""
    return _EXTENSIONS.get(kind) or _TYPES.guess_extension(kind) or ".bin"
