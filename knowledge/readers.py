"""Who reads: a customer who is signed in, or a stranger, known by a keyed digest of where they read from alone."""

from hashlib import blake2b
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from helpdesk.customers.models import Customer
from helpdesk.limits import network_of

_DIGEST: Final = 16


def voter_of(customer: Customer | None, request: HttpRequest) -> str:
    """The name under which somebody votes: one for a customer, one for a network and browser of strangers."""
    if customer is not None:
        return f"c{customer.pk}"
    agent = request.headers.get("User-Agent", "")[:300]
    said = f"{network_of(request.META.get('REMOTE_ADDR', ''))}|{agent}".encode()
    return blake2b(said, digest_size=_DIGEST, key=settings.SECRET_KEY.encode()[:64]).hexdigest()


def is_from_here(request: HttpRequest) -> bool:
    """Whether one of our own pages has sent it, as far as the browser says (Fetch Metadata; Origin, RFC 6454 §7). The
    pages are the same for everybody and kept, so there is no token of the reader's own in them; and nobody can make
    somebody else's browser vote.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.get_host()
