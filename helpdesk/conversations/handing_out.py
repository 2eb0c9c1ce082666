"""What strangers sent, handed out so that it can do nothing: HTML mail in a sandbox, files as downloads. Who may have
it is for the caller to say.
"""

import base64
import re
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header

from helpdesk.conversations.files import Stored, content_of
from helpdesk.conversations.models import Message

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
SOUNDS: Final = frozenset(
    {"audio/mpeg", "audio/ogg", "audio/wav", "audio/x-wav", "audio/mp4", "audio/aac", "audio/webm"}
)
CSP: Final = "Content-Security-Policy"
DOWNLOAD_POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:{remote}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
MAX_EMBEDDED: Final = 5 * 1024 * 1024
_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})", re.ASCII)
_CONTENT_ID = re.compile(r'src="cid:([^"]{1,500})"')


def html(request: HttpRequest, message: Message, *, with_images: bool) -> HttpResponse:
    """A message's sanitised HTML as a document of its own, sandboxed by its own policy wherever it is opened.

    Pictures that came along are embedded: a sandboxed document has no cookie to fetch them with. Remote ones stay
    unloaded but `with_images`.
    """
    body = _embed_pictures(message)
    if with_images:
        body = body.replace(' data-src="http', ' src="http')
    response = render(request, "desk/mail.html", {"body": body})
    response[CSP] = MAIL_POLICY.format(remote=" https: http:" if with_images else "")
    response["Referrer-Policy"] = "no-referrer"
    return response


def _embed_pictures(message: Message) -> str:
    """`cid:` pictures as data, up to MAX_EMBEDDED together; others stay without a picture."""
    if "cid:" not in message.html:
        return message.html
    pictures = {a.content_id: a for a in message.attachments.filter(content_type__in=PICTURES).exclude(content_id="")}
    room = MAX_EMBEDDED

    def embedded(match: re.Match[str]) -> str:
        nonlocal room
        picture = pictures.get(match.group(1))
        if picture is None or picture.size > room:
            return 'src=""'
        room -= picture.size
        return f'src="data:{picture.content_type};base64,{base64.b64encode(content_of(picture)).decode()}"'

    return _CONTENT_ID.sub(embedded, message.html)


def file(attachment: Stored, *, shown: bool, wanted: str = "") -> HttpResponse:
    """A file as a download; `shown` shows pictures of the four harmless kinds in the page and plays sounds, and nothing
    else ever. `wanted` is the Range header: a player asks for parts.
    """
    shown = shown and (attachment.content_type in PICTURES or attachment.content_type in SOUNDS)
    kind = attachment.content_type if shown else "application/octet-stream"
    response = _part(content_of(attachment), wanted)
    response["Content-Type"], response["Accept-Ranges"] = kind, "bytes"
    response["Content-Disposition"] = content_disposition_header(not shown, attachment.name) or "attachment"
    return shielded(response)


def _part(content: bytes, wanted: str) -> HttpResponse:
    """The one range of bytes that is wanted (RFC 9110 §14); all of it for none, for several, or what makes no sense."""
    asked = _RANGE.fullmatch(wanted)
    if asked is None or not any(asked.groups()):
        return HttpResponse(content)
    first, last = asked.groups()
    begin = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if first and last and int(last) < begin:
        return HttpResponse(content)
    if begin > end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    told = {"Content-Range": f"bytes {begin}-{end}/{len(content)}"}
    return HttpResponse(content[begin : end + 1], status=206, headers=told)


def plain(text: str | bytes, name: str) -> HttpResponse:
    """Text to be read as it is, never as anything else."""
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    return shielded(response)


def shielded(response: HttpResponse) -> HttpResponse:
    response["X-Content-Type-Options"] = "nosniff"
    response[CSP] = DOWNLOAD_POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
