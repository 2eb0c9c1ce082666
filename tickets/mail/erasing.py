"""Forgetting what a customer's mails held: the raw bytes and who is named in them, and that mails to them came back.
That a mail came stays (the ledger has one row for each mail that ever reached us).
"""

from datetime import datetime

from django.db.models import Q

from helpdesk.customers.models import Customer
from tickets.models import Digest, InboundEmail, MailHeader, RateCount, SuspendedAddress


def erase(customer: Customer, at: datetime) -> None:
    """One of settings.ERASERS: before the customer's name and addresses go."""
    handles = list(customer.identities.filter(channel="email").values_list("handle", flat=True))
    theirs = Q(message__customer=customer) | Q(conversation__customer=customer) | Q(mail_from__in=handles)
    InboundEmail.objects.filter(theirs).update(raw=b"", mail_from="", rcpt_to=[], remote_ip=None, error="")
    of_theirs = Q(message__customer=customer) | Q(message__conversation__customer=customer)
    SuspendedAddress.objects.filter(address__in=handles).delete()
    for handle in handles:
        RateCount.objects.filter(key__endswith=f":{handle}").delete()
    Digest.objects.filter(conversation__customer=customer).update(address="", error="")
    MailHeader.objects.filter(of_theirs).update(sender="", reply_to="", to=[], cc=[], subject="")
