"""Which mails a customer wants. Answers, and what they ask for themselves, always come; the rest is theirs to choose.

Whoever writes such a mail asks first: `if wants(customer, RATING): …`.
"""

from typing import Final

from helpdesk.customers.models import Customer

RECEIVED: Final = "received"
"""That we have got their request, and when to expect an answer."""
RATING: Final = "rating"
"""How it was, after their request is solved."""
SIGN_IN: Final = "sign_in"
"""That somebody signed in from a browser that was not seen before."""
KINDS: Final = (RECEIVED, RATING, SIGN_IN)


def wants(customer: Customer, kind: str) -> bool:
    """Whether the customer wants mails of this kind."""
    return kind not in customer.unwanted_mails
