"""Hand one finished message to the configured mail backend (SMTP, an ESP through anymail, files), errors classed."""

import errno
import smtplib
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from anymail.exceptions import AnymailAPIError, AnymailError
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.safe_text import one_line
from helpdesk.events.smtp_backend import EmailBackend, LostBeforeSending

_NOBODY_THERE = {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH}
_REFUSED = ("invalid", "rejected", "failed")  # anymail's words


@dataclass(slots=True)
class _Kept:
    """The connection that stays open between the messages of a batch."""

    connection: BaseEmailBackend | None = None


_kept: ContextVar[_Kept | None] = ContextVar("kept_connection", default=None)


@contextmanager
def one_connection() -> Iterator[None]:
    """Within this block messages share one connection, as long as it holds: for work done in batches."""
    kept = _Kept()
    mark = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(mark)
        if kept.connection is not None:
            _close(kept.connection)


def send_email(message: EmailMessage) -> Mapping[str, str]:
    """Send `message`: `send_through` on `open_connection`. Blocks; EMAIL_TIMEOUT for each step of SMTP."""
    return send_through(open_connection(), message)


def open_connection() -> BaseEmailBackend:
    """A connection ready to send. Raises RetryLater or NeverRetry: nothing has left yet."""
    kept = _kept.get()
    if kept is not None and kept.connection is not None:
        connection, kept.connection = kept.connection, None
        if not isinstance(connection, EmailBackend) or connection.is_alive():
            return connection
        _close(connection)
    try:
        connection = get_connection(fail_silently=False)
        connection.open()
    except (smtplib.SMTPException, OSError, ImproperlyConfigured, AnymailError) as error:
        raise _before_sending(error) from error
    return connection


def send_through(
    connection: BaseEmailBackend, message: EmailMessage, before_it_leaves: Callable[[], None] | None = None
) -> Mapping[str, str]:
    """Send one message; the recipients it was not taken for, with the server's words. Raises RetryLater, NeverRetry or
    Ambiguous. The connection is closed, or kept for the next message within `one_connection`. `before_it_leaves` is
    called at the last moment at which surely nothing has left, as far as the backend knows; what it raises goes on.

    An SMTP reply of 4xx is temporary and 5xx final (RFC 5321 §4.2.1). A connection lost while the content was sent is
    ambiguous: the server may have taken it just before (RFC 5321 §4.5.3.2.6).
    """
    sent = False
    if isinstance(connection, EmailBackend):
        connection.before_it_leaves = before_it_leaves
    elif before_it_leaves is not None:
        before_it_leaves()
    try:
        # None is what a backend without counting answers.
        if connection.send_messages([message]) == 0:
            raise NeverRetry("the message has no recipient")
        sent = True
    except (smtplib.SMTPException, OSError, ValueError, AnymailError) as error:
        raise _while_sending(error) from error
    finally:
        _close_or_keep(connection, keep=sent)
    return _refused(connection, message)


def _close_or_keep(connection: BaseEmailBackend, *, keep: bool) -> None:
    kept = _kept.get()
    if keep and kept is not None and kept.connection is None:
        kept.connection = connection
    else:
        _close(connection)


def _refused(connection: BaseEmailBackend, message: EmailMessage) -> dict[str, str]:
    if isinstance(connection, EmailBackend):
        return {address: _words(*answer) for address, answer in connection.refused.items()}
    told = getattr(getattr(message, "anymail_status", None), "recipients", None) or {}
    return {address: str(one.status) for address, one in told.items() if one.status in _REFUSED}


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
    if isinstance(error, LostBeforeSending):
        return RetryLater(f"the connection broke before anything left: {_describe(error)}")
    if any(isinstance(cause, socket.gaierror) or cause.errno in _NOBODY_THERE for cause in _os_errors(error)):
        # An ESP's backend connects only now; what never connected sent nothing.
        return RetryLater(f"the mail service was not reached: {_describe(error)}")
    if isinstance(error, OSError | smtplib.SMTPException) and not isinstance(error, smtplib.SMTPNotSupportedError):
        return Ambiguous(f"the connection broke while sending: {_describe(error)}")
    return NeverRetry(f"the message cannot be sent: {_describe(error)}")


def _by_smtp_code(code: int, error: Exception) -> DeliveryError:
    reason = f"the mail server answered {_answers(error)}"
    if 500 <= code <= 599:
        return NeverRetry(reason)
    # An answer that is none, to the content, leaves open whether it was taken.
    return RetryLater(reason) if 400 <= code <= 499 else Ambiguous(reason)


def _answers(error: Exception) -> str:
    """The server's own words, which say what a person has to do about it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return one_line("; ".join(f"{_words(*words)} for {to}" for to, words in error.recipients.items()), 1000)
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    return _describe(error)


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return one_line(f"{code} {text}", 500)


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
