"""The demo's outgoing mail, which lies in files instead of being sent."""

from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from helpdesk.conversations.handing_out import plain
from tickets.desk import sent_mail
from tickets.desk.rendering import page
from tickets.mail.parsing import parse
from tickets.views.access import AgentRequest, agent_view


def _only_in_demo(view: Any) -> Any:
    @wraps(view)
    def checked(request: AgentRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.HELPDESK_DEMO:
            raise Http404
        response: HttpResponse = view(request, *args, **kwargs)
        return response

    return checked


@require_GET
@agent_view
@_only_in_demo
def sent_list(request: AgentRequest) -> HttpResponse:
    return page(request, "sent_mail.jinja", files=sent_mail.newest(_folder()))


@require_GET
@agent_view
@_only_in_demo
def sent_file(request: AgentRequest, name: str) -> HttpResponse:
    """One mail as its reader sees its text; `?raw=1` as it is."""
    try:
        raw = sent_mail.read(_folder(), name)
    except FileNotFoundError as error:
        raise Http404 from error
    if request.GET.get("raw") == "1":
        return plain(raw, name)
    mail = parse(raw)
    headers = [(title, mail.header(title)) for title in ("From", "To", "Cc", "Reply-To", "Date", "Message-ID")]
    return page(request, "sent_file.jinja", mail=mail, headers=[(title, value) for title, value in headers if value])


def _folder() -> Path:
    return Path(settings.SENT_MAIL_DIR)
