"""All we hold of a customer, as a zip with JSON and their files: made by a worker, mailed as a link, gone in a week."""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, Any, Final

from django.conf import settings
from django.core import signing
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.mail import EmailMessage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations.files import path_of
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.sending_mail import send_email
from portal import letters, permissions
from portal.models import Export

LASTS: Final = timedelta(days=7)
NOT_AGAIN_FOR: Final = timedelta(days=1)
ASKED: Final = "portal.export_asked"
"""A customer wants their data: {export}."""
MOST_FILE_BYTES: Final = 1024 * 1024 * 1024
SALT: Final = "portal.export"
_FOLDER: Final = "exports"


class TooSoon(ValueError):
    """One was asked for within a day."""


@transaction.atomic
def ask(customer: Customer, *, at: datetime) -> Export:
    """Have one made; a mail says when it is there. Raises TooSoon."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if Export.objects.filter(customer=customer, asked_at__gt=at - NOT_AGAIN_FOR).exists():
        raise TooSoon
    row = Export.objects.create(customer=customer, asked_at=at)
    record(Fact(ASKED, None, CUSTOMER, data={"export": row.pk}), at=at)
    return row


@outside
def make(event: Event, at: datetime) -> None:
    """The handler of `portal.export_asked`: write the file unless it is there, then mail the link."""
    row = Export.objects.select_related("customer").filter(pk=event.data["export"]).first()
    if row is None or row.customer.blocked_at is not None or (row.ends_at is not None and row.ends_at <= at):
        return
    if row.ready_at is None:
        # Always the same name: what was written and then not noted down, because we were killed, is replaced.
        path = f"{_FOLDER}/{row.pk}.zip"
        default_storage.delete(path)
        with tempfile.TemporaryFile() as whole:
            write(row.customer, whole, at=at)
            row.size = whole.tell()
            whole.seek(0)
            row.path = default_storage.save(path, File(whole))
        row.ready_at, row.ends_at = at, at + LASTS
        row.save(update_fields=["path", "size", "ready_at", "ends_at"])
    if row.customer.email:
        send_email(mail(row))


def mail(row: Export) -> EmailMessage:
    """The mail with the link, which opens for its customer alone, signed in."""
    assert row.ready_at is not None, "it is told of once it is there"
    with override(row.customer.language or "en"):
        path = reverse("portal:export", args=[signing.Signer(salt=SALT).sign(str(row.pk))])
        given = {"url": letters.address_of(path), "days": LASTS.days}
        return letters.made(
            letters.Letter(
                row.customer.email, _("Your data is ready"), "export.txt", f"export.{row.pk}", row.ready_at, given
            )
        )


def find(customer: Customer, token: str, *, at: datetime) -> Export | None:
    """The export behind a link, for its customer while it lasts."""
    try:
        pk = int(signing.Signer(salt=SALT).unsign(token[:200]))
    except (signing.BadSignature, ValueError):
        return None
    return Export.objects.filter(pk=pk, customer=customer, ends_at__gt=at).exclude(path="").first()


def write(customer: Customer, into: IO[bytes], *, at: datetime) -> None:
    """The zip: `data.json`, and the files of the customer's own conversations; in memory is one at a time."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as packed:
        room = MOST_FILE_BYTES
        with packed.open("data.json", "w") as data:
            data.write(b'{"customer": ' + _json(_person(customer)))
            for name, dotted in settings.PORTAL_EXPORTS.items():
                data.write(b", " + _json(name) + b": " + _json(import_string(dotted)(customer)))
            data.write(b', "conversations": [')
            for number, conversation in enumerate(_conversations(customer)):
                data.write((b",\n" if number else b"\n") + _json(_told(conversation, at)))
            data.write(b"\n]}\n")
        for attachment in _files(customer, at):
            room -= attachment.size
            if room < 0:
                packed.writestr("files/NOT-ALL.txt", "Further files are in the portal, with their conversations.\n")
                break
            _put(packed, attachment)


def _put(packed: zipfile.ZipFile, attachment: Attachment) -> None:
    name = attachment.name.replace("/", "_").replace("\\", "_")
    where = f"files/{attachment.message.conversation_id}/{attachment.pk}-{name}"
    with default_storage.open(path_of(attachment.sha256)) as stored, packed.open(where, "w") as file:
        while part := stored.read(1024 * 1024):
            file.write(part)


def _person(customer: Customer) -> dict[str, Any]:
    return {
        "name": customer.name,
        "email": customer.email,
        "language": customer.language,
        "timezone": customer.timezone,
        "known_since": customer.created_at,
        "organization": str(customer.organization) if customer.organization else None,
        "is_manager": customer.is_manager,
        "mails_not_wanted": customer.unwanted_mails,
        "identities": list(customer.identities.values("channel", "handle", "verified_at")),
        "sessions": list(customer.sessions.values("how", "remote", "user_agent", "began_at", "seen_at")),
    }


def _conversations(customer: Customer) -> Iterator[Conversation]:
    rows = Conversation.objects.filter(permissions.own(customer)).prefetch_related("services", "tags").order_by("pk")
    return rows.iterator(chunk_size=100)


def _told(conversation: Conversation, at: datetime) -> dict[str, Any]:
    messages = Message.objects.filter(permissions.readable(at), conversation=conversation)
    rows = messages.select_related("agent", "customer").prefetch_related("attachments").order_by("pk")
    return {
        "number": conversation.pk,
        "subject": conversation.subject,
        "channel": conversation.channel,
        "status": conversation.status,
        "priority": conversation.priority,
        "opened_at": conversation.opened_at,
        "resolved_at": conversation.resolved_at,
        "services": [service.name for service in conversation.services.all()],
        "fields": conversation.custom,
        "messages": [
            {
                "at": row.at,
                "from": str(row.agent or row.customer or "system"),
                "via": row.via,
                "text": row.full_text or row.text,
                "files": [{"name": one.name, "size": one.size, "id": one.pk} for one in row.attachments.all()],
            }
            for row in rows
        ],
    }


def _files(customer: Customer, at: datetime) -> Iterator[Attachment]:
    messages = Message.objects.filter(
        permissions.readable(at), conversation__in=Conversation.objects.filter(permissions.own(customer))
    )
    rows = Attachment.objects.filter(message__in=messages).select_related("message").order_by("pk")
    return rows.iterator(chunk_size=200)


def _json(value: Any) -> bytes:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1).encode()


def end_all(customer: Customer, *, at: datetime) -> None:
    """Their links open nothing any more, what is not made yet is not made, and the files go with the next
    `forget_ended`.
    """
    Export.objects.filter(customer=customer).update(ends_at=at)


def forget_ended(*, at: datetime) -> int:
    """Remove the files whose time is over."""
    ended = list(Export.objects.filter(ends_at__lte=at).exclude(path="")[:500])
    for row in ended:
        default_storage.delete(row.path)
        Export.objects.filter(pk=row.pk).update(path="")
    return len(ended)
