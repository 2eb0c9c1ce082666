"""Mail on its way out through mail services: whatever such a service cannot do, the mail leaves."""

from datetime import datetime
from email.utils import parseaddr
from typing import Any

import pytest
from django.conf import settings as configured
from django.core import mail
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, raw_mail, settle
from tests.fixtures.providers import ProviderServer, Received, Reply
from tickets.mail import tokens

pytestmark = pytest.mark.django_db


class Postmark(ProviderServer):
    """Postmark's POST /email (postmarkapp.com/developer/api/email-api): takes everything."""

    def answer(self, request: Received) -> Reply:
        to = request.json().get("To", "")
        return Reply(200, {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a-e38e", "To": to})


@pytest.fixture
def asked(company: Company, send_mail: Send, at: datetime) -> int:
    mail = send_mail(raw_mail(message_id="<first@acme.example>", x_auto_response_suppress="All"), at=at)
    assert mail.conversation_id is not None
    settle(at)
    return mail.conversation_id


def reply(company: Company, conversation_id: int, at: datetime) -> Message:
    message = conversations.reply(conversation_id, company.grace, "On it.", at=at)
    settle(at)
    message.refresh_from_db()
    return message


def test_a_service_without_return_paths_takes_our_mail(
    company: Company, asked: int, at: datetime, settings: Settings
) -> None:
    company.grace.name = 'Grace "Ŝtelistino" Hopper'
    company.grace.save()
    with Postmark() as service:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            **configured.ANYMAIL,
            "POSTMARK_SERVER_TOKEN": "t",
            "POSTMARK_API_URL": f"{service.url}/",
        }
        message = reply(company, asked, at)
    assert (message.delivery, message.provider_id) == ("sent", "b7bc2f4a-e38e"), message.error
    given = service.received[0].json()
    assert given["To"] == "carol@acme.example" and given["Subject"] == f"Re: [#{asked}] The site is slow"
    assert parseaddr(given["From"]) == ('Grace "Ŝtelistino" Hopper (Demo Hosting Support)', "support@demo.example")
    headers = {header["Name"]: header["Value"] for header in given["Headers"]}
    assert headers["In-Reply-To"] == headers["References"] == "<first@acme.example>"


def test_a_service_that_takes_return_paths_gets_ours(
    company: Company, asked: int, at: datetime, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    message = reply(company, asked, at)
    assert message.delivery == "sent", message.error
    params: dict[str, Any] = getattr(mail.outbox[-1], "anymail_test_params")  # noqa: B009 - set by the test backend
    assert params["envelope_sender"] == f"bounce+{tokens.make('message', message.pk)}@demo.example"
    assert params["from"].addr_spec == "support@demo.example"
