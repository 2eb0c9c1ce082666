"""The link of a quote: signed, for one version of one quote. It opens the page for good; whether it can still be
answered there says the quote itself.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from quotes.models import Quote

LONGEST: Final = 120
_SIGNER: Final = signing.Signer(salt="quotes.link")


def token(quote: Quote) -> str:
    return _SIGNER.sign(urlsafe_b64encode(quote.key.bytes).rstrip(b"=").decode())


def opened(token: str) -> Quote | None:
    """The quote of a link, once it was sent; None for a forged one."""
    try:
        key = UUID(bytes=urlsafe_b64decode(f"{_SIGNER.unsign(token[:LONGEST])}=="))
    except (signing.BadSignature, binascii.Error, ValueError):
        return None
    found = Quote.objects.exclude(state=Quote.State.DRAFT).filter(key=key)
    return found.select_related("conversation", "customer", "author").first()


def url(quote: Quote) -> str:
    return f"{settings.PUBLIC_URL}{reverse('quotes:quote_by_link', args=[token(quote)])}"
