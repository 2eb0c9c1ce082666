"""A conversation outside the desk: forwarded to somebody, printed, and a mail of ours as it leaves."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from helpdesk.conversations.answers import NothingToSay
from helpdesk.conversations.channel import channel
from helpdesk.conversations.handing_out import plain
from helpdesk.conversations.models import Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.permissions import SAFE
from helpdesk.desk import markdown
from helpdesk.events.outcomes import DeliveryError
from helpdesk.numbers import whole_number
from tickets.desk import facts, thread
from tickets.desk.rendering import page
from tickets.forms import MAX_TEXT
from tickets.mail import forwarding
from tickets.mail.channel import EmailChannel
from tickets.views.access import AgentRequest, agent_view
from tickets.views.returning import to_conversation

MOST_QUOTED = 50_000
MOST_PRINTED = 500


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def forward(request: AgentRequest, pk: int) -> HttpResponse:
    """A message with its files to an address outside, with a word before it. A note stays inside: asked for by a note,
    it is what was said before it.
    """
    of_theirs = Message.objects.filter(conversation__in=visible_conversations(request.user))
    asked = get_object_or_404(of_theirs.only("conversation_id"), pk=pk)
    said = of_theirs.filter(conversation=asked.conversation_id, pk__lte=pk).exclude(kind=Message.Kind.NOTE)
    with_names = said.select_related("conversation", "customer", "agent").order_by("-pk")
    message = with_names.defer("html", "search", "conversation__search").first()
    if message is None:
        raise Http404
    files = list(message.attachments.all())
    if request.method in SAFE:
        return page(request, "forward.jinja", message=message, files=files, to="", text=_quoted(message), error="")
    to, text = (request.POST.get(name, "")[:MAX_TEXT] for name in ("to", "text"))
    chosen = [file for file in files if str(file.pk) in request.POST.getlist("files")]
    html = markdown.render(text) if markdown.is_formatted(text) else ""
    try:
        addresses = forwarding.addresses_in(to)
        along = forwarding.files_of(chosen)
        sent = forwarding.forward(
            message.conversation_id, request.user, addresses, text, at=now(), html=html, files=along
        )
    except (forwarding.CannotForward, NothingToSay) as error:
        context = {"message": message, "files": files, "to": to, "text": text, "error": str(error)}
        return page(request, "forward.jinja", status=422, **context)
    messages.success(request, _("Forwarded to %(addresses)s.") % {"addresses": ", ".join(addresses)})
    return to_conversation(request, message.conversation_id, part=f"m{sent.pk}")


def _quoted(message: Message) -> str:
    who = message.customer or message.agent or _("Helpdesk")
    head = _("On %(at)s %(who)s wrote:") % {"at": f"{message.at:%Y-%m-%d %H:%M} UTC", "who": who}
    lines = (message.full_text or message.text)[:MOST_QUOTED].splitlines()
    return "\n\n" + "\n".join([head, *(f"> {line}".rstrip() for line in lines)])


@require_GET
@agent_view
def printed(request: AgentRequest, pk: int) -> HttpResponse:
    """The newest MOST_PRINTED messages (of those older than message `before`) on paper, notes only for `notes=1`."""
    found = facts.find(pk, request.user)
    if found is None:
        raise Http404
    items = thread.newest(pk, MOST_PRINTED, before=whole_number(request.GET.get("before", "")))
    older = items[0]["id"] if len(items) == MOST_PRINTED else 0
    with_notes = request.GET.get("notes") == "1"
    shown = [message for message in items if with_notes or message["kind"] != "note"]
    return page(request, "print.jinja", conversation=found, said=shown, with_notes=with_notes, older=older)


@require_GET
@agent_view
def source(request: AgentRequest, pk: int) -> HttpResponse:
    """A mail of ours as it leaves or has left."""
    mails = Message.objects.filter(conversation__in=visible_conversations(request.user), kind=Message.Kind.OUTBOUND)
    message = get_object_or_404(mails.select_related("conversation__customer", "agent"), pk=pk)
    way = channel(message.via)
    if not isinstance(way, EmailChannel):
        raise Http404
    try:
        text = way.source(message, at=now())
    except DeliveryError as error:
        text = str(error).encode()
    return plain(text, f"mail-{pk}.eml.txt")
