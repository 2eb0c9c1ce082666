"""Bounces: told on the message that did not arrive, and remembered of the address. Never a ticket of their own."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Message
from helpdesk.events.actions import Fact, record
from tickets.mail import digests, tokens
from tickets.mail.bounces import Bounce
from tickets.mail.delivery_reports import FailedRecipient
from tickets.mail.outcome import Outcome
from tickets.mail.parsed import ParsedMail
from tickets.models import Digest, InboundEmail, MailHeader, SuspendedAddress

SUSPENDED_FOR = timedelta(days=7)
# One hard bounce may be a server's mood; the second within a month is the address.
FORGIVEN_AFTER = timedelta(days=30)
HARD_BOUNCES = 2


def file_bounce(
    bounce: Bounce, recipients: Iterable[str], mail: InboundEmail, parsed: ParsedMail, *, at: datetime
) -> Outcome:
    """Attach the bounce to our message, if it proves to be about one: by signed return address or signed id."""
    recipients = list(recipients)
    digest = _digest_of(bounce, recipients, parsed)
    if digest is not None:
        return _file_digests(digest, bounce, at)
    message = _message_of(bounce, recipients, parsed)
    if message is None:
        is_known = _is_known_elsewhere(bounce, recipients, parsed, at)
        return Outcome(InboundEmail.State.BOUNCE, "told on" if is_known else "not about a message of ours")
    _count_hard_bounces(bounce, at)
    permanent = [failed for failed in bounce.recipients if failed.permanent]
    if permanent or not bounce.recipients:
        _mark_failed(message, permanent, at)
    else:
        Message.objects.filter(pk=message.pk).update(error=f"Delayed: {_told(bounce.recipients)}"[:2000])
    kind = "message.bounced" if permanent or not bounce.recipients else "message.delayed"
    data = {"message": message.pk, "told": _told(bounce.recipients)[:500]}
    record(Fact(kind, message.conversation_id, data=data), at=at)
    reason = "hard bounce" if permanent else "temporary bounce"
    return Outcome(InboundEmail.State.BOUNCE, reason, message.conversation_id, message.pk)


def _digest_of(bounce: Bounce, recipients: Iterable[str], parsed: ParsedMail) -> Digest | None:
    """The mail of several messages that it is about, by its return address or its id, both signed."""
    tokens_found = [token for address in recipients if (token := tokens.in_address(address)) is not None]
    ids = [token.subject_id for token in tokens_found if token.kind == "digest"]
    for mail_id in (bounce.original_message_id.strip("<>"), *parsed.in_reply_to, *parsed.references[-3:]):
        if (digest_id := tokens.digest_of(mail_id)) is not None:
            ids.append(digest_id)
    return Digest.objects.select_related("event").filter(pk__in=ids).first() if ids else None


def _file_digests(digest: Digest, bounce: Bounce, at: datetime) -> Outcome:
    _count_hard_bounces(bounce, at)
    failed = [one for one in bounce.recipients if one.permanent]
    if not failed and bounce.recipients:
        return Outcome(InboundEmail.State.BOUNCE, "temporary bounce", digest.conversation_id)
    digests.come_back(digest, f"Bounced: {_told(failed) or 'the message came back'}", at=at)
    return Outcome(InboundEmail.State.BOUNCE, "hard bounce", digest.conversation_id)


def _count_hard_bounces(bounce: Bounce, at: datetime) -> None:
    for failed in bounce.recipients:
        # "Failed" with a 4.x status gave up on a server that was away; only 5.x speaks of the address.
        if failed.permanent and not failed.status.startswith("4"):
            _count_hard_bounce(failed, at)


def _message_of(bounce: Bounce, recipients: Iterable[str], parsed: ParsedMail) -> Message | None:
    tokens_found = [token for address in recipients if (token := tokens.in_address(address)) is not None]
    ids = [token.subject_id for token in tokens_found if token.kind == "message"]
    for mail_id in (bounce.original_message_id.strip("<>"), *parsed.in_reply_to, *parsed.references[-3:]):
        if (message_id := tokens.message_of(mail_id)) is not None:
            ids.append(message_id)
    outbound = Message.objects.filter(pk__in=ids, kind=Message.Kind.OUTBOUND)
    if found := outbound.first():
        return found
    header = MailHeader.objects.filter(mail_id=bounce.original_message_id.strip("<>")).exclude(mail_id="").first()
    return header.message if header and header.message.kind == Message.Kind.OUTBOUND else None


def _is_known_elsewhere(bounce: Bounce, recipients: Iterable[str], parsed: ParsedMail, at: datetime) -> bool:
    """Whether another room has sent the mail that it is about (COMES_BACK); it is told then."""
    names = [*recipients, bounce.original_message_id, *parsed.in_reply_to, *parsed.references[-3:]]
    final = [failed for failed in bounce.recipients if failed.permanent and not failed.status.startswith("4")]
    told = _told(final or bounce.recipients)
    is_unknown = any(failed.status == "5.1.1" for failed in final)
    ways = [import_string(dotted) for dotted in settings.COMES_BACK]
    return any(way(names, told, is_final=bool(final), is_unknown=is_unknown, at=at) for way in ways)


def _mark_failed(message: Message, failed: list[FailedRecipient], at: datetime) -> None:
    error = f"Bounced: {_told(failed) or 'the message came back'}"
    Message.objects.filter(pk=message.pk).update(delivery=Message.Delivery.FAILED, error=error[:2000])


def _count_hard_bounce(failed: FailedRecipient, at: datetime) -> None:
    address = failed.address.lower()[:320]
    if "@" not in address:
        return
    known, made = SuspendedAddress.objects.get_or_create(
        address=address, defaults={"bounced_at": at, "hard_bounces": 1, "reason": failed.diagnostic[:300]}
    )
    if not made:
        again = known.bounced_at >= at - FORGIVEN_AFTER
        SuspendedAddress.objects.filter(pk=known.pk).update(
            hard_bounces=F("hard_bounces") + 1 if again else 1, bounced_at=at, reason=failed.diagnostic[:300]
        )
        known.refresh_from_db()
    if known.hard_bounces >= HARD_BOUNCES or failed.status == "5.1.1":
        SuspendedAddress.objects.filter(pk=known.pk).update(until=at + SUSPENDED_FOR)


def _told(failed: Iterable[FailedRecipient]) -> str:
    return "; ".join(f"{f.address} ({' '.join(filter(None, (f.status, f.diagnostic)))})" for f in failed)
