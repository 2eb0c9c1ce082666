"""What strangers sent, handed out so that it can do nothing: HTML mail in a sandbox, files as downloads."""

import base64
import re

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Attachment, Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.desk.web_links import linked
from tickets.desk.thread import PICTURES
from tickets.views.access import AgentRequest, agent_view

CSP = "Content-Security-Policy"
DOWNLOAD_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:{remote}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
MAX_EMBEDDED = 5 * 1024 * 1024
MOST_SHOWN = 1_000_000
_CONTENT_ID = re.compile(r'src="cid:([^"]{1,500})"')


@require_GET
@agent_view
@xframe_options_sameorigin
def html(request: AgentRequest, pk: int) -> HttpResponse:
    """A message's sanitised HTML as a document of its own, sandboxed by its own policy wherever it is opened.

    Pictures that came along are embedded: a sandboxed document has no cookie to fetch them with. Remote ones stay
    unloaded until `?images=1`.
    """
    message = get_object_or_404(_messages(request).exclude(html="").only("pk", "html"), pk=pk)
    with_images = request.GET.get("images") == "1"
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


@require_GET
@agent_view
def full_text(request: AgentRequest, pk: int) -> HttpResponse:
    """All of a message's text, quotes and signature included; for htmx as much of it as a page can hold."""
    message = get_object_or_404(_messages(request).only("full_text", "text"), pk=pk)
    if request.headers.get("HX-Request"):
        text = message.full_text or message.text
        return HttpResponse(linked(text[:MOST_SHOWN]) + ("…" if len(text) > MOST_SHOWN else ""))
    return plain(message.full_text or message.text, f"message-{pk}.txt")


@require_GET
@agent_view
def attachment(request: AgentRequest, pk: int) -> HttpResponse:
    """A file as a download. `?show=1` shows pictures of the four harmless kinds in the page; nothing else ever."""
    found = get_object_or_404(Attachment, pk=pk, message__in=_messages(request))
    shown = request.GET.get("show") == "1" and found.content_type in PICTURES
    kind = found.content_type if shown else "application/octet-stream"
    response = HttpResponse(content_of(found), content_type=kind)
    response["Content-Disposition"] = content_disposition_header(not shown, found.name) or "attachment"
    return shielded(response)


def _messages(request: AgentRequest) -> QuerySet[Message]:
    return Message.objects.filter(conversation__in=visible_conversations(request.user))


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
