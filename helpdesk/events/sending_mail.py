"""Hand one finished message to the configured mail backend (SMTP, an ESP through anymail, files), errors classed."""

import errno
import smtplib
import socket
from collections.abc import Iterator

from anymail.exceptions import AnymailAPIError, AnymailError
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.safe_text import one_line

SMTP_SECONDS = 10
_NOBODY_THERE = {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH}


def send_email(message: EmailMessage) -> None:
    """Send `message` or raise RetryLater, NeverRetry or Ambiguous. Blocks; SMTP_SECONDS for each step of SMTP."""
    send_through(open_connection(), message)


def open_connection() -> BaseEmailBackend:
    """A connection ready to send. Raises RetryLater or NeverRetry: nothing has left yet."""
    try:
        connection = get_connection(fail_silently=False, timeout=SMTP_SECONDS)
        connection.open()
    except (smtplib.SMTPException, OSError, ImproperlyConfigured, AnymailError) as error:
        raise _before_sending(error) from error
    return connection


def send_through(connection: BaseEmailBackend, message: EmailMessage) -> None:
    """Send one message and close. Raises RetryLater, NeverRetry or Ambiguous.

    An SMTP reply of 4xx is temporary and 5xx final (RFC 5321 §4.2.1). A connection lost after it stood is ambiguous:
    the server may have taken the message just before (RFC 5321 §4.5.3.2.6), and only a stable Message-ID helps then.
    """
    try:
        # None is what a backend without counting answers.
        if connection.send_messages([message]) == 0:
            raise NeverRetry("the message has no recipient")
    except (smtplib.SMTPException, OSError, ValueError, AnymailError) as error:
        raise _while_sending(error) from error
    finally:
        _close(connection)


def _before_sending(error: Exception) -> DeliveryError:
    if isinstance(error, ImproperlyConfigured | smtplib.SMTPNotSupportedError | AnymailError):
        return NeverRetry(f"mail is not set up: {_describe(error)}")
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_smtp_code(error.smtp_code, error)
    return RetryLater(f"the mail server was not reached: {_describe(error)}")


def _while_sending(error: Exception) -> DeliveryError:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        # One recipient who may be taken later is reason enough to try again.
        codes = [code for code, _ in error.recipients.values()]
        return _by_smtp_code(min(codes, default=550), error)
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_smtp_code(error.smtp_code, error)
    if isinstance(error, AnymailAPIError) and error.status_code is not None:
        return _by_http_status(error.status_code, error)
    if any(isinstance(cause, socket.gaierror) or cause.errno in _NOBODY_THERE for cause in _os_errors(error)):
        # An ESP's backend connects only now; what never connected sent nothing.
        return RetryLater(f"the mail service was not reached: {_describe(error)}")
    if isinstance(error, OSError | smtplib.SMTPException) and not isinstance(error, smtplib.SMTPNotSupportedError):
        return Ambiguous(f"the connection broke while sending: {_describe(error)}")
    return NeverRetry(f"the message cannot be sent: {_describe(error)}")


def _by_smtp_code(code: int, error: Exception) -> DeliveryError:
    reason = f"the mail server answered {_describe(error)}"
    return NeverRetry(reason) if 500 <= code <= 599 else RetryLater(reason)


def _by_http_status(status: int, error: Exception) -> DeliveryError:
    reason = f"the mail service answered {status}: {_describe(error)}"
    return RetryLater(reason) if status in (408, 429) or status >= 500 else NeverRetry(reason)


def _os_errors(error: BaseException) -> Iterator[OSError]:
    """The system errors below `error`, through whatever HTTP libraries wrapped around them."""
    current: BaseException | None = error
    for _ in range(10):
        if current is None:
            return
        if isinstance(current, OSError):
            yield current
        current = current.__cause__ or current.__context__


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        return  # the message's fate is known by now; a rude goodbye does not change it


def _describe(error: Exception) -> str:
    return one_line(f"{type(error).__name__} {error}", 300)
