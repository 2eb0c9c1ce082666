"""The customer's tickets, over all channels: the list, one of them, and what can be done with it."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.conversations.handing_out import PICTURES
from helpdesk.conversations.models import DONE, Conversation
from helpdesk.conversations.uploads import MOST_BYTES, MOST_FILES, files_of
from helpdesk.customers.models import Customer
from helpdesk.numbers import LARGEST_ID, whole_number
from portal import answering, parts, permissions, threads, wording
from portal.access import customer_view
from portal.rendering import page

LONGEST = 200_000


@require_safe
@customer_view
def overview(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The list, 25 at a time; `state`, `whose`, `q` narrow it down."""
    given = request.GET
    wanted = threads.Wanted(
        state=given.get("state", "") if given.get("state") in wording.STATES else "",
        whose=given.get("whose", "") if given.get("whose") in ("mine", "company") else "",
        query=" ".join(given.get("q", "").replace("\x00", "").split())[: threads.LONGEST_QUERY],
        after=threads.read_after(given.get("after", "")),
    )
    found = threads.listed(customer, wanted, at=now())
    asked = {key: value for key in ("state", "whose", "q") if (value := given.get(key, ""))}
    is_manager = permissions.of_colleagues(customer) is not None
    return page(request, "conversations.jinja", found=found, wanted=wanted, asked=asked, is_manager=is_manager)


def visible(customer: Customer, pk: int) -> Conversation:
    """The conversation, if this customer may see it. Raises Http404."""
    rows = permissions.visible_to(customer).select_related("customer", "organization").prefetch_related("services")
    found = rows.filter(pk=pk).first() if pk <= LARGEST_ID else None
    if found is None:
        raise Http404("there is none for this customer")
    return found


@require_safe
@customer_view
def conversation(request: HttpRequest, customer: Customer, pk: int) -> HttpResponseBase:
    """One conversation. What was merged leads on to where it went, if that is the customer's as well."""
    merged = Conversation.objects.filter(pk=min(pk, LARGEST_ID)).exclude(merged_into=None).first()
    if merged is not None:
        return redirect("portal:conversation", visible(customer, merged.merged_into_id or 0).pk)
    return _shown(request, customer, visible(customer, pk))


def _shown(
    request: HttpRequest, customer: Customer, found: Conversation, *, text: str = "", trouble: str = "",
    client_id: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    at = now()
    thread = threads.read(found, at=at, before=whole_number(request.GET.get("before", "")))
    return page(
        request,
        "conversation.jinja",
        status=status,
        conversation=found,
        thread=thread,
        parts=parts.beside_conversation(request, found, customer, at=at),
        is_done=found.status in DONE,
        may_reopen=answering.may_reopen(found, at),
        text=text,
        trouble=trouble,
        client_id=client_id or str(uuid4()),
        most_files=MOST_FILES,
        most_bytes=MOST_BYTES,
        pictures=PICTURES,
    )


@require_safe
@customer_view
def news(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """What was said after message `after`, for the open page; 204 where there is nothing."""
    found = visible(customer, pk)
    thread = threads.read(found, at=now(), after=whole_number(request.GET.get("after", "")))
    if not thread.messages and request.GET.get("status", "") == found.status:
        return HttpResponse(status=204)
    return page(request, "_news.jinja", conversation=found, thread=thread, pictures=PICTURES)


@require_POST
@customer_view
def answer(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """File an answer. Sent by a script it answers JSON: {url}, or {trouble} with 409, 413, 422 or 429."""
    found = visible(customer, pk)
    text = request.POST.get("text", "").replace("\x00", "").strip()[:LONGEST]
    uploads = request.FILES.getlist("uploads")
    trouble, status = _wrong(text, uploads)
    client_id = _client_id(request.POST.get("client_id", ""))
    if not trouble:
        seen = request.POST.get("seen", "")
        given = answering.Answer(text, client_id, whole_number(seen) if seen else None, tuple(files_of(uploads)))
        try:
            message = answering.answer(found, customer, given, at=now())
        except answering.TooMany:
            trouble, status = _("Very many messages in a short time. Please wait a little; your text is kept."), 429
        except answering.Overtaken:
            trouble, status = _("Somebody wrote meanwhile. Please look at it, and send your answer again."), 409
        else:
            where = f"{reverse('portal:conversation', args=[message.conversation_id])}#m{message.pk}"
            return JsonResponse({"url": where}) if _wants_json(request) else redirect(where)
    if _wants_json(request):
        return JsonResponse({"trouble": trouble}, status=status)
    return _shown(request, customer, found, text=text, trouble=trouble, client_id=str(client_id), status=status)


def _wrong(text: str, uploads: Sequence[object]) -> tuple[str, int]:
    if len(uploads) > MOST_FILES:
        return _("At most %d files at a time.") % MOST_FILES, 422
    if sum(getattr(upload, "size", 0) or 0 for upload in uploads) > MOST_BYTES:
        return _("Together the files may have %d MB.") % (MOST_BYTES // 1024 // 1024), 413
    if not text and not uploads:
        return _("Write something or add a file."), 422
    return "", 200


@require_POST
@customer_view
def close(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """It is solved."""
    answering.close(visible(customer, pk), at=now())
    messages.success(request, _("Closed. Thank you for telling us."))
    return redirect("portal:conversation", pk)


@require_POST
@customer_view
def reopen(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """It is not."""
    answering.reopen(visible(customer, pk), at=now())
    messages.success(request, _("It is open again."))
    return redirect("portal:conversation", pk)


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _client_id(text: str) -> UUID:
    try:
        return UUID(text[:40])
    except ValueError:
        return uuid4()
