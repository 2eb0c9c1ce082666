"""Which conversation a mail belongs to, and whether its sender may speak there.

In this order: a signed address, Message-IDs (ours are signed too), the subject's number from a participant, other mail
that names the same parent. Never the subject's words, never a number in the text. Where a message was split off, the
mail that answers it follows it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.conversations import splitting
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer, User
from helpdesk.events.models import Event
from tickets.mail import subjects, tokens
from tickets.mail.parsed import ParsedMail
from tickets.models import MailHeader

SIBLINGS_WITHIN = timedelta(days=30)
MAX_IDS = 50
# The Message-ID of what we told an agent of an event.
_NOTICE = re.compile(r"agent-\d{1,18}-event-(\d{1,18})@")


@dataclass(frozen=True, slots=True)
class Thread:
    """The conversation, what led there, and the token the mail carried, if any."""

    conversation: Conversation
    how: str
    token: tokens.Token | None = None

    @property
    def is_signed(self) -> bool:
        """Whether the sender holds something only our own mail could have given them."""
        return self.how in ("token", "own-message-id")


def find(mail: ParsedMail, recipients: Iterable[str], at: datetime) -> Thread | None:
    """The thread of a mail, or None for a new conversation."""
    return _by_token(mail, recipients) or _by_message_ids(mail) or _by_subject(mail) or _by_siblings(mail, at)


def _by_token(mail: ParsedMail, recipients: Iterable[str]) -> Thread | None:
    for address in recipients:
        token = tokens.in_address(address)
        if token is not None and token.kind in ("customer", "agent"):
            conversation = _conversation(token.subject_id)
            if conversation is not None:
                return Thread(_split_off(mail, token, conversation) or conversation, "token", token)
    return None


def _split_off(mail: ParsedMail, token: tokens.Token, conversation: Conversation) -> Conversation | None:
    """The part of the token's conversation that holds the answered message now; None where it stayed."""
    parts = splitting.parts_of({token.subject_id, conversation.pk})
    if parts:
        for mail_id in _ids(mail):
            conversation_id = _now_in(mail_id)
            if conversation_id is not None:
                return _conversation(conversation_id) if conversation_id in parts else None
    return None


def _now_in(mail_id: str) -> int | None:
    """The conversation that holds the message of this mail today, also of one of ours or of a notice about it."""
    message_id = tokens.message_of(mail_id)
    if notice := _NOTICE.match(mail_id):
        event = Event.objects.filter(pk=int(notice.group(1))).values_list("data", flat=True).first() or {}
        message_id = event.get("message")
    held = Message.objects.filter(pk=message_id) if message_id else Message.objects.filter(mail_header__mail_id=mail_id)
    return held.order_by("-pk").values_list("conversation_id", flat=True).first()


def _ids(mail: ParsedMail) -> list[str]:
    """In-Reply-To first, then References from the right (RFC 5322 §3.6.4)."""
    return list(dict.fromkeys([*mail.in_reply_to, *reversed(mail.references)]))[:MAX_IDS]


def _by_message_ids(mail: ParsedMail) -> Thread | None:
    ids = _ids(mail)
    for mail_id in ids:
        conversation_id = tokens.conversation_of(mail_id)
        if conversation_id is not None:
            # The id says where the message was written; since then it may have been split off.
            conversation_id = _now_in(mail_id) or conversation_id
        if conversation_id is not None and (conversation := _conversation(conversation_id)):
            return Thread(conversation, "own-message-id")
    if not ids:
        return None
    known = dict(MailHeader.objects.filter(mail_id__in=ids).values_list("mail_id", "conversation_id"))
    for mail_id in ids:
        if mail_id in known and (conversation := _conversation(known[mail_id])):
            return Thread(conversation, "message-id")
    return None


def _by_subject(mail: ParsedMail) -> Thread | None:
    number = subjects.ticket_tag(mail.subject)
    if number is None or mail.sender is None or number > 2**62:
        return None
    conversation = _conversation(number)
    if conversation is None or not is_participant(conversation, mail.sender.email):
        return None
    return Thread(conversation, "subject")


def _by_siblings(mail: ParsedMail, at: datetime) -> Thread | None:
    """A colleague in copy answered the same mail before us: both belong together."""
    parents = [*mail.in_reply_to[:1], *mail.references[-1:]]
    if not parents:
        return None
    siblings = MailHeader.objects.filter(parent_mail_id__in=parents, message__at__gte=at - SIBLINGS_WITHIN)
    sibling = siblings.order_by("pk").values("conversation_id").first()
    if sibling is None or (conversation := _conversation(sibling["conversation_id"])) is None:
        return None
    return Thread(conversation, "sibling")


def _conversation(conversation_id: int) -> Conversation | None:
    found = Conversation.objects.select_related("customer", "merged_into").filter(pk=conversation_id).first()
    hops = 0
    while found is not None and found.merged_into is not None and hops < 20:
        found, hops = found.merged_into, hops + 1
    return found


def is_participant(conversation: Conversation, address: str) -> bool:
    """The customer, a follower, somebody who wrote here before and was accepted, or an agent."""
    address = address.lower()
    if address and address == conversation.customer.email:
        return True
    mine = Customer.objects.filter(identities__channel="email", identities__handle=address)
    for customer in mine[:1]:
        if customer.pk == conversation.customer_id or conversation.followers.filter(pk=customer.pk).exists():
            return True
        if conversation.messages.filter(customer=customer, is_verified=True).exists():
            return True
    return User.objects.filter(email=address, is_active=True).exists()
