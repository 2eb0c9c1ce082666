"""Is this call really from the ESP? Answered by anymail's own checks, closed where no secret is configured."""

import base64
import binascii
import hashlib
import hmac
import logging
from typing import Any, Final

from anymail.exceptions import AnymailConfigurationError, AnymailImproperlyInstalled, AnymailWebhookValidationFailure
from anymail.utils import get_anymail_setting
from anymail.webhooks.amazon_ses import AmazonSESBaseWebhookView
from anymail.webhooks.base import AnymailBaseWebhookView
from anymail.webhooks.mailersend import MailerSendInboundWebhookView
from anymail.webhooks.mailgun import MailgunInboundWebhookView
from anymail.webhooks.mailtrap import MailtrapInboundWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postal import PostalInboundWebhookView
from anymail.webhooks.sendgrid import SendGridBaseWebhookView
from django.http import HttpRequest
from django.utils import timezone

logger = logging.getLogger(__name__)

_SVIX_WINDOW_SECONDS: Final = 300


class Refused(Exception):
    """The call is not to be believed."""


class _BasicAuth(AnymailBaseWebhookView):  # type: ignore[misc]
    """For ESPs that sign nothing: WEBHOOK_SECRET, the `user:password` of the hook's URL."""

    esp_name = "ESP"
    warn_if_no_basic_auth = False


class _AmazonSes(AmazonSESBaseWebhookView):  # type: ignore[misc]
    """SNS headers and basic auth, without the boto3 that anymail's constructor asks for."""

    warn_if_no_basic_auth = False

    def __init__(self) -> None:
        AnymailBaseWebhookView.__init__(self)


class _Mailtrap(MailtrapInboundWebhookView):  # type: ignore[misc]
    warn_if_no_basic_auth = False

    def __init__(self) -> None:
        super().__init__(api_token="unused")


class _SendGrid(SendGridBaseWebhookView):  # type: ignore[misc]
    """Basic auth, and the signature where SENDGRID_INBOUND_WEBHOOK_VERIFICATION_KEY is set."""

    esp_name = "SendGrid"
    key_setting_name = "inbound_webhook_verification_key"
    warn_if_no_basic_auth = False


class _Resend(AnymailBaseWebhookView):  # type: ignore[misc]
    """Basic auth, and Svix's signature where RESEND_INBOUND_SECRET is set.

    Source: docs.svix.com, "Verifying webhooks manually".
    """

    esp_name = "Resend"
    warn_if_no_basic_auth = False

    def __init__(self) -> None:
        self.signing_secret = get_anymail_setting("inbound_secret", esp_name=self.esp_name, default="")
        super().__init__()

    def validate_request(self, request: HttpRequest) -> None:
        if self.signing_secret and not self._is_signed(request):
            raise AnymailWebhookValidationFailure("missing or wrong svix-signature")

    def _is_signed(self, request: HttpRequest) -> bool:
        sent_at = request.headers.get("svix-timestamp", "")
        if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 13):
            return False
        if abs(timezone.now().timestamp() - int(sent_at)) > _SVIX_WINDOW_SECONDS:
            return False
        try:
            key = base64.b64decode(self.signing_secret.removeprefix("whsec_"))
        except binascii.Error as error:
            raise AnymailConfigurationError("RESEND_INBOUND_SECRET is not what Resend shows (whsec_…)") from error
        signed = f"{request.headers.get('svix-id', '')}.{sent_at}.".encode() + request.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        given = request.headers.get("svix-signature", "")[:4096].split()
        return any(hmac.compare_digest(b"v1," + expected, one.encode()) for one in given)


# The check of each ESP, and where its object holds the secrets: one of them must be there.
_CHECKS: Final[dict[str, tuple[type[Any], tuple[str, ...]]]] = {
    "amazon_ses": (_AmazonSes, ()),
    "brevo": (_BasicAuth, ()),
    "mailersend": (MailerSendInboundWebhookView, ("signing_secret",)),
    "mailgun": (MailgunInboundWebhookView, ("webhook_signing_key",)),
    "mailjet": (_BasicAuth, ()),
    "mailtrap": (_Mailtrap, ("signing_secret",)),
    "mandrill": (MandrillCombinedWebhookView, ("webhook_key",)),
    "postal": (PostalInboundWebhookView, ("webhook_key",)),
    "postmark": (_BasicAuth, ()),
    "resend": (_Resend, ("signing_secret",)),
    "sendgrid": (_SendGrid, ("webhook_verification_key",)),
    "sendinblue": (_BasicAuth, ()),
    "sparkpost": (_BasicAuth, ()),
}


def check(esp: str, request: HttpRequest) -> None:
    """Raises Refused unless the call carries the ESP's signature or our secret."""
    make, secrets = _CHECKS[esp]
    try:
        view = make()
        if not view.basic_auth and not any(getattr(view, name) for name in secrets):
            raise Refused("no secret is configured for this provider")
        view.run_validators(request)
    except AnymailWebhookValidationFailure as error:
        raise Refused(str(error)) from error
    except (AnymailConfigurationError, AnymailImproperlyInstalled) as error:
        raise Refused("this provider is not configured") from error
    except Refused:
        raise
    except Exception as error:
        # A check that breaks on its input has not succeeded.
        logger.warning("the signature of a call from %s cannot be checked", esp, exc_info=True)
        raise Refused("the signature cannot be checked") from error
