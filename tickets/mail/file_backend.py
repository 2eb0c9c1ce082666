"""Mail as files, where no server is set: each under its Message-ID, so that sending it again writes the same file."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Writes whole files only (write, sync, rename). The demo shows them at /desk/sent-mail/."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.SENT_MAIL_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for email in email_messages:
            message = email.message()
            path = folder / f"{file_name(str(message['Message-ID']))}.eml"
            fresh = path.with_suffix(f".{os.getpid()}.tmp")
            recipients = ", ".join(email.recipients())
            envelope = f"X-Envelope-From: {email.from_email}\r\nX-Envelope-To: {recipients}\r\n".encode()
            with fresh.open("wb") as file:
                file.write(envelope + message.as_bytes(linesep="\r\n"))  # type: ignore[call-arg]  # Django's own class
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        return len(email_messages)


def file_name(message_id: str) -> str:
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
