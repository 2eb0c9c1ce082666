"""`manage.py receive_mail_smtp`: SMTP on $SMTP_HOST:$SMTP_PORT, and LMTP where $LMTP_PORT is set."""

import socket
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from tickets.mail.certificates import BadCertificate, Certificate
from tickets.mail.committing import PATIENT_OPTIONS, Committer
from tickets.mail.listening import listen, lmtp_socket, tcp_socket
from tickets.mail.smtp import Service


class Command(BaseCommand):
    help = "Receive mail by SMTP (and LMTP) until SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        certificate = _certificate()
        try:
            smtp = tcp_socket(settings.SMTP_HOST, settings.SMTP_PORT)
            lmtp = lmtp_socket(settings.LMTP_PORT, settings.SMTP_HOST) if settings.LMTP_PORT else None
        except OSError as error:
            raise CommandError(
                f"cannot listen for mail on {settings.SMTP_HOST}:{settings.SMTP_PORT}: {error}"
            ) from error
        database = connections.settings["default"]
        database["OPTIONS"] = {**PATIENT_OPTIONS, **database.get("OPTIONS", {})}
        uvloop.run(_serve(certificate, smtp, lmtp))


def _certificate() -> Certificate | None:
    if not settings.SMTP_TLS_CERT:
        if settings.SMTP_TLS_KEY:
            raise CommandError("SMTP_TLS_KEY is set, but SMTP_TLS_CERT is not")
        return None
    try:
        return Certificate(settings.SMTP_TLS_CERT, settings.SMTP_TLS_KEY)
    except BadCertificate as error:
        raise CommandError(f"SMTP_TLS_CERT: {error}") from error


async def _serve(certificate: Certificate | None, smtp: socket.socket, lmtp: socket.socket | None) -> None:
    service = Service(Committer(), settings.MAIL_DOMAIN, settings.MAIL_SIZE_LIMIT, certificate)
    await listen(service, smtp, lmtp)
