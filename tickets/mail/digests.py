"""One mail of what was said elsewhere, sent once: claim, call, record, each a commit of its own.

Another room asks for it by an event (`helpdesk.conversations.continuing.ASKED`), recorded in the transaction that
remembers what is mailed. Killed before the call, the outbox tries again; killed between call and record, the mail
backend is asked, and where it cannot tell the digest fails visibly instead of reaching the customer twice.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F

from helpdesk.conversations import continuing
from helpdesk.conversations.answers import BACKOFF_SECONDS, LOST_TRACK, MAX_ATTEMPTS
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.actions import Fact, record
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.sending_mail import open_connection, send_through
from tickets.mail import composing, digest_letters, tokens
from tickets.mail.channel import FILES, answer_address, copies, thread_of
from tickets.mail.correspondence import Correspondence, correspondence, note_header
from tickets.mail.file_backend import file_name
from tickets.models import Digest, Mailbox, MailHeader

logger = logging.getLogger(__name__)

# Above every message there is or will be soon: all mail of the conversation came before this one.
_NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rendered digest on an open connection."""

    email: EmailMultiAlternatives
    connection: BaseEmailBackend

    def send(self) -> None:
        refused = send_through(self.connection, self.email)
        if self.email.to[0] in refused:
            raise NeverRetry(f"the mail server refused {refused[self.email.to[0]]}")


@outside
def send(event: Event, at: datetime) -> None:
    """Send the digest that the event asked for, once. Raises RetryLater for the outbox to wait."""
    assert event.conversation_id is not None, "it is asked of conversations"
    digest, _made = Digest.objects.get_or_create(event=event, defaults={"conversation_id": event.conversation_id})
    if digest.state == Digest.State.SENDING:
        _find_out(digest, at)
    if digest.state != Digest.State.PENDING:
        return
    try:
        ready = _prepare(digest, event, at)
    except DeliveryError as error:
        _judge(digest, error, at)
        return
    if ready is not None and _claim(digest):
        _send(digest, ready, at)


def _prepare(digest: Digest, event: Event, at: datetime) -> _Ready | None:
    conversation = Conversation.objects.select_related("customer").get(pk=digest.conversation_id)
    known = continuing.particulars(conversation, at=event.at)
    letter = digest_letters.letter(digest, event, conversation, known)
    if letter is None:
        # All of it was taken back meanwhile.
        Digest.objects.filter(pk=digest.pk).update(state=Digest.State.SENT)
        return None
    history = correspondence(conversation, before=_NEWEST)
    mailbox = history.mailbox or thread_of(conversation).mailbox
    envelope = _envelope(digest, conversation, history, mailbox, at, alone=letter.is_transcript)
    email = digest_letters.compose(letter, mailbox, envelope, history.thread)
    Digest.objects.filter(pk=digest.pk).update(address=envelope.to)
    digest.address = envelope.to
    if letter.said and not letter.is_transcript:
        # Known before it leaves, so that an answer finds its way whatever happens to us meanwhile.
        mail_id = digest_letters.mail_id_of(digest, mailbox)
        note_header(letter.said[-1], mail_id, mailbox.address, envelope, str(email.subject))
    return _Ready(email, open_connection())


def _envelope(
    digest: Digest, conversation: Conversation, history: Correspondence, mailbox: Mailbox, at: datetime, *, alone: bool
) -> composing.Envelope:
    token = tokens.make("customer", conversation.pk, conversation.customer_id)
    return composing.Envelope(
        to=answer_address(history, at),
        cc=[] if alone else copies(conversation, history, at),
        reply_to=tokens.plus_address(mailbox.address, token),
        bounce_to=f"bounce+{tokens.make('digest', digest.pk)}@{composing.domain_of(mailbox)}",
    )


def _claim(digest: Digest) -> bool:
    mine = Digest.objects.filter(pk=digest.pk, state=Digest.State.PENDING)
    return bool(mine.update(state=Digest.State.SENDING))


def _send(digest: Digest, ready: _Ready, at: datetime) -> None:
    try:
        ready.send()
    except DeliveryError as error:
        _judge(digest, error, at)
    except Exception as error:
        logger.exception("digest %s broke while it was sent", digest.pk)
        _judge(digest, Ambiguous(f"{error.__class__.__name__}: {error}"), at)
    else:
        _sent(digest, at)


def _find_out(digest: Digest, at: datetime) -> None:
    """We were stopped between the call and its record."""
    if settings.EMAIL_BACKEND != FILES:
        _fail(digest, LOST_TRACK, at)
        return
    mailbox = thread_of(digest.conversation).mailbox
    name = file_name(f"<{digest_letters.mail_id_of(digest, mailbox)}>")
    if (Path(settings.SENT_MAIL_DIR) / f"{name}.eml").exists():
        _sent(digest, at)
    else:
        Digest.objects.filter(pk=digest.pk).update(state=Digest.State.PENDING)
        digest.state = Digest.State.PENDING


def _judge(digest: Digest, error: DeliveryError, at: datetime) -> None:
    attempts = digest.attempts + 1
    if isinstance(error, RetryLater) and attempts < MAX_ATTEMPTS:
        Digest.objects.filter(pk=digest.pk).update(
            state=Digest.State.PENDING, error=str(error)[:2000], attempts=attempts
        )
        wait = timedelta(seconds=BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS)) - 1])
        raise RetryLater(str(error), error.after or wait) from error
    _fail(digest, f"{error}. {LOST_TRACK}" if isinstance(error, Ambiguous) else str(error), at)


@transaction.atomic
def _sent(digest: Digest, at: datetime) -> None:
    Digest.objects.filter(pk=digest.pk).update(state=Digest.State.SENT, error="", attempts=F("attempts") + 1)
    digest.state = Digest.State.SENT
    told = _told(digest)
    _note_all(digest, told["messages"])
    record(Fact(continuing.SENT, digest.conversation_id, data={**told, "to": digest.address}), at=at)


def _note_all(digest: Digest, message_ids: Iterable[int]) -> None:
    """Each of its messages has left by mail, with the header that was noted for the last one."""
    last = MailHeader.objects.filter(message__in=message_ids).order_by("-message_id").first()
    if last is None:
        return  # a transcript
    there = Message.objects.filter(pk__in=message_ids).exclude(mail_header__isnull=False)
    headers = [
        MailHeader(
            message_id=pk,
            conversation_id=digest.conversation_id,
            mail_id=last.mail_id,
            sender=last.sender,
            to=last.to,
            cc=last.cc,
            subject=last.subject,
        )
        for pk in there.values_list("pk", flat=True)
    ]
    MailHeader.objects.bulk_create(headers, ignore_conflicts=True)


@transaction.atomic
def _fail(digest: Digest, error: str, at: datetime) -> None:
    logger.warning("digest %s was not delivered: %s", digest.pk, error)
    Digest.objects.filter(pk=digest.pk).update(
        state=Digest.State.FAILED, error=error[:2000], attempts=F("attempts") + 1
    )
    digest.state = Digest.State.FAILED
    told = _told(digest)
    _mark(told["messages"], error)
    record(Fact(continuing.FAILED, digest.conversation_id, data={**told, "error": error[:300]}), at=at)


def come_back(digest: Digest, error: str, *, at: datetime) -> None:
    """The mail bounced: said on its messages, unless the customer has read them where they were written."""
    _fail(digest, error, at)


def _mark(message_ids: Iterable[int], error: str) -> None:
    """Nobody knows that the customer has them, unless they have read them where they were written."""
    unread = Message.objects.filter(pk__in=message_ids).exclude(delivery=Message.Delivery.DELIVERED)
    unread.filter(kind=Message.Kind.OUTBOUND).update(delivery=Message.Delivery.FAILED, error=error[:2000])


def _told(digest: Digest) -> dict[str, Any]:
    data = digest.event.data
    return {"messages": list(data.get("messages", ())), "what": data.get("what", continuing.ANSWERS)}
