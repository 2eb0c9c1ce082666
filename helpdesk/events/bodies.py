"""The bodies of calls from outside, bounded."""

from django.http import HttpRequest

from helpdesk.numbers import is_number


def body_of(request: HttpRequest, most: int) -> bytes | None:
    """The body; None where it is longer than `most` bytes, however it comes: one in chunks names no length."""
    announced = request.headers.get("Content-Length") or "0"
    if not is_number(announced) or int(announced) > most:
        return None
    return request.body if len(request.body) <= most else None
