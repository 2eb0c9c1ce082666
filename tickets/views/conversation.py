"""One conversation: the page, its thread for htmx, and why a clock is due when it is due."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.backends.utils import csrf_input
from django.utils import timezone
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from helpdesk.conversations.models import Priority, Status
from helpdesk.conversations.visibility import last_event, visible_conversations
from helpdesk.customers.permissions import may_work
from helpdesk.numbers import whole_number
from helpdesk.sla.models import Clock
from tickets.desk import facts, kept_words, live_chats, mentions, on_networks, snoozing, thread
from tickets.desk.reckoning import explain_clock
from tickets.desk.rendering import page
from tickets.forms import AFTER_REPLY, MessageForm
from tickets.views.access import AgentRequest, agent_view, visible

_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Toast:
    """What was done just now and can be taken back: events `after` < seq <= `until`, or a message."""

    text: str
    after: int = 0
    until: int = 0
    message: int = 0


@require_GET
@agent_view
def conversation(request: AgentRequest, pk: int) -> HttpResponse:
    return show(request, pk, None)


def show(
    request: AgentRequest,
    pk: int,
    form: MessageForm | None,
    status: int = 200,
    overtaken: Sequence[int] = (),
    may_insist: bool = False,
) -> HttpResponse:
    """The page; with a form that could not be accepted, what was typed and why; `overtaken` are the messages that
    came before it. With `may_insist` a reason lets it leave all the same.
    """
    at = now()
    found = facts.find(pk, request.user)
    if found is None:
        raise Http404
    if kept_words.KEY in request.session and kept_words.restore(
        request.session, visible(request, pk), request.user, at=at
    ):
        found = facts.find(pk, request.user) or found
    # A pane may have been fetched ahead: there a script tells when it is seen.
    if found["is_mentioned"] and "HX-Target" not in request.headers:
        mentions.see(pk, request.user, at=at)
    parts = _parts(request, found, at, before=_before(request, pk))
    context = {
        **parts,
        "form": form,
        "client_id": form["client_id"].value() if form else uuid4(),
        "after_reply": AFTER_REPLY,
        "may_insist": may_insist,
        "overtaken": [
            item.message for item in parts["thread"].items if item.message and item.message["id"] in overtaken
        ],
        "toast": _toast(request, parts["thread"]),
    }
    return page(request, "conversation.jinja", status=status, **context)


@require_GET
@agent_view
def news(request: AgentRequest, pk: int) -> HttpResponse:
    """What has happened since the page was drawn, to be put below its thread; 204 for nothing.

    `seq`, `last` and `at` are the cursor of what it shows (`thread.Thread.cursor`); with `all` what stands beside the
    thread comes in any case. Where only the whole thread will do, `HX-Reswap` says so.
    """
    at = now()
    last_seq = last_event(request.user, pk)
    if last_seq is None:
        raise Http404
    asked = request.GET.get
    is_owed = "all" in request.GET
    if last_seq == whole_number(asked("seq", "")) and not is_owed:
        return HttpResponse(status=204)
    shown = thread.Shown.parse(asked("seq", ""), asked("last", ""), asked("at", ""))
    since = thread.since(pk, shown) if shown else None
    if since is not None and since.is_quiet and not is_owed:
        part = thread.additions(pk, since, {})
        if part is not None:
            brief: dict[str, Any] = {
                "conversation": {"id": pk},
                "thread": part,
                "may_work": may_work(request.user),
                "at": at,
            }
            return page(request, "_news.jinja", is_wide=False, seq=since.seq, **brief)
    return _wide_news(request, pk, since, at)


def _wide_news(request: AgentRequest, pk: int, since: thread.Since | None, at: datetime) -> HttpResponse:
    found = facts.find(pk, request.user)
    if found is None:
        raise Http404
    choices = facts.choices(found)
    part = thread.additions(pk, since, choices.names) if since is not None else None
    context = _beside(request, found, choices, at) | {"thread": part or thread.read(pk, choices.names)}
    seq = since.seq if since is not None and part is not None else found["last_seq"]
    response = page(request, "_news.jinja", client_id=uuid4(), is_wide=True, seq=seq, **context)
    if part is None:
        response["HX-Reswap"] = "morph:innerHTML"
    return response


@require_GET
@agent_view
def older(request: AgentRequest, pk: int) -> HttpResponse:
    """The part of the thread before a message, to be put above what is there."""
    found = facts.find(pk, request.user)
    if found is None:
        raise Http404
    choices = facts.choices(found)
    part = thread.read(found["id"], choices.names, before=whole_number(request.GET.get("before", "")))
    works = may_work(request.user)
    return page(request, "_thread.jinja", conversation=found, thread=part, may_work=works, at=now())


@require_GET
@agent_view
def clock(request: AgentRequest, pk: int) -> HttpResponse:
    """Why this clock is due when it is due; a part of the page for htmx, else a page of its own."""
    found = get_object_or_404(Clock, pk=pk, conversation__in=visible_conversations(request.user))
    text = explain_clock(found, at=now()).as_text()
    name = "_explanation.jinja" if request.headers.get("HX-Request") else "clock.jinja"
    return page(request, name, clock=found, text=text)


def _parts(request: AgentRequest, found: facts.Facts, at: datetime, before: int = 0) -> dict[str, Any]:
    choices = facts.choices(found)
    shown = thread.read(found["id"], choices.names, before=before)
    return _beside(request, found, choices, at) | {"thread": shown, "before": before}


def _before(request: AgentRequest, pk: int) -> int:
    """The part that was asked for: what is older than message `before`, or what stands around `message`."""
    message = whole_number(request.GET.get("message", ""))
    return thread.part_with(pk, message) if message else whole_number(request.GET.get("before", ""))


def _beside(request: AgentRequest, found: facts.Facts, choices: facts.Choices, at: datetime) -> dict[str, Any]:
    """All but the thread."""
    zone = facts.customers_zone(found)
    return {
        "conversation": found,
        "choices": choices,
        "entitlement": facts.entitlement(found, at),
        "chat": live_chats.of(found["id"], found["channel"], request.user, at),
        "network": on_networks.pane(found["id"], found["channel"], request.user, at),
        "customers_time": at.astimezone(zone) if zone else None,
        "presets": snoozing.presets(at, timezone.get_current_timezone()),
        "may_work": may_work(request.user),
        # Masked once for all of the page's forms.
        "csrf_input": csrf_input(request),
        "priorities": Priority.values,
        "statuses": Status.values,
        "at": at,
    }


def _toast(request: HttpRequest, shown: thread.Thread) -> Toast | None:
    sent = whole_number(request.GET.get("sent", ""))
    if sent:
        waits = any(
            item.message and item.message["id"] == sent and item.message["delivery"] == "pending"
            for item in shown.items
        )
        return Toast("", message=sent) if waits else None
    changed = _RANGE.fullmatch(request.GET.get("undo", ""))
    if changed is None:
        return None
    after, until = map(int, changed.groups())
    lines = shown.lines(after, until)
    return Toast(" · ".join(lines[-3:]), after, until) if lines else None
