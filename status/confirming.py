"""What follows when somebody has asked to be told: a mail that only the address's owner reads, or a call whose text
only the webhook's owner sees. Nothing begins before they say yes there.
"""

import json
from datetime import datetime
from email.utils import format_datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.customers.company import names
from helpdesk.events import webhook_calls
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import send_email
from status import addresses, mail_ids, subscriber_links
from status.models import Subscriber
from status.notice_calls import message_id, signed
from status.subscriber_links import CONFIRMS_FOR

CONFIRMATION = "subscription.confirmation"


@outside
def ask_for_it(event: Event, at: datetime) -> None:
    """The handler of `subscriber.asked`: send the link that confirms, or, to who is subscribed already, their own."""
    subscriber = Subscriber.objects.filter(pk=event.data["subscriber"]).first()
    # Whoever asked again has an event of their own.
    if subscriber is None or subscriber.asked_at != event.at or subscriber.asked_at + CONFIRMS_FOR <= at:
        return
    if subscriber.kind == Subscriber.Kind.WEBHOOK:
        _call(subscriber, at)
    else:
        send_email(mail(subscriber))


def mail(subscriber: Subscriber) -> EmailMultiAlternatives:
    """The mail about one asking; the same for every attempt at it."""
    with override(subscriber.language):
        company = names()[0] or addresses.page_url()
        is_new = subscriber.status != Subscriber.Status.ACTIVE
        given = {
            "is_new": is_new,
            "company": company,
            "url": subscriber_links.confirm_url(subscriber) if is_new else subscriber_links.own_url(subscriber.key),
            "page_url": f"{addresses.page_url()}/",
        }
        words = _("Please confirm: status updates of %(company)s") if is_new else _("Status updates of %(company)s")
        subject = one_line(words % {"company": company}, 200)
        text = render_to_string("status/mail/confirm.txt", given)
        html = render_to_string("status/mail/confirm.html", {**given, "subject": subject})
    message = EmailMultiAlternatives(
        subject,
        text,
        mail_ids.return_path(subscriber.pk),
        [subscriber.address],
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "Date": format_datetime(subscriber.asked_at),
            "Message-ID": f"<{mail_ids.mail_id(f'asked{int(subscriber.asked_at.timestamp())}', subscriber.pk)}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _call(subscriber: Subscriber, at: datetime) -> None:
    if subscriber.status == Subscriber.Status.ACTIVE:
        return
    data = {"confirm_url": subscriber_links.confirm_url(subscriber), "page": {"url": addresses.page_url()}}
    body = json.dumps(
        {"type": CONFIRMATION, "timestamp": subscriber.asked_at, "data": data}, cls=DjangoJSONEncoder
    ).encode()
    number = message_id(subscriber.key, f"asked{int(subscriber.asked_at.timestamp())}")
    (answer,) = webhook_calls.call_all([signed(subscriber.address, subscriber.secret, number, body, at=at)])
    if answer.is_good:
        return
    Subscriber.objects.filter(pk=subscriber.pk).update(trouble=answer.error[:300])
    if answer.is_final or answer.status is not None:
        raise NeverRetry(answer.error)
    raise RetryLater(answer.error, answer.after)
