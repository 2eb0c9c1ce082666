"""What a visitor asks of the mail: a transcript, and where answers go while the panel is shut."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.utils.text import format_lazy
from django.utils.timezone import now
from django.utils.translation import gettext_lazy

from chat import chats, continuity
from chat.api.access import Refused, VisitorRequest, body_of, email_in, text_of, visitor_view
from chat.models import Chat

# Nothing longer is an address (RFC 5321 §4.5.3.1.3, with its brackets).
LONGEST_ADDRESS: Final = 254


@visitor_view("POST")
def transcript(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """Mail what was said to the customer's address, five times an hour at most."""
    try:
        to = continuity.mail_transcript(_chat(request, public_id), at=now())
    except continuity.NoAddress:
        detail = gettext_lazy("Where may we send it? Leave an e-mail address first.")
        raise Refused(409, "address", detail) from None
    except continuity.NothingYet:
        detail = gettext_lazy("There is nothing to send yet: nobody has answered.")
        raise Refused(409, "empty", detail) from None
    except continuity.TooOften as error:
        detail = gettext_lazy("That was asked for too often lately.")
        raise Refused(429, "rate", detail, retry=error.seconds * 1000) from None
    return JsonResponse({"to": to}, status=202)


@visitor_view("POST")
def address(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """Where answers go by mail: `email`."""
    given = email_in(text_of(body_of(request), "email", LONGEST_ADDRESS))
    try:
        continuity.give_address(_chat(request, public_id), given, at=now())
    except continuity.KeepsAddress as error:
        words = gettext_lazy("Answers go to {email}, by which this page knows you.")
        raise Refused(409, "address", format_lazy(words, email=error.args[0])) from None
    except continuity.TooOften as error:
        detail = gettext_lazy("The address was changed often enough.")
        raise Refused(429, "rate", detail, retry=error.seconds * 1000) from None
    return HttpResponse(status=204)


def _chat(request: VisitorRequest, public_id: UUID) -> Chat:
    try:
        return chats.chat_of(request.visit, public_id)
    except chats.NotTheirs:
        raise Refused(404, "conversation", "There is no such conversation.") from None
