"""The question as a mail: a link a score, as plain text one for all; none does anything by being opened."""

from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations.models import Conversation
from helpdesk.customers.company import company
from helpdesk.customers.models import Customer
from helpdesk.events.safe_text import one_line
from helpdesk.ratings import links
from helpdesk.ratings.wording import WORDS


@dataclass(frozen=True, slots=True)
class Letter:
    text: str
    html: str


def question(conversation: Conversation, customer: Customer, token: str) -> Letter:
    """How was our help? In the customer's language, else the company's first."""
    with override(customer.language or next(iter(company().languages), "en")):
        subject = one_line(conversation.subject, 120)
        asks = _("How was our help with “%(subject)s”?") % {"subject": subject} if subject else _("How was our help?")
        hint = _("Choose one; on the page you can add a word.")
        end = _("This works for 14 days. If something is still not right, simply answer this mail.")
        rows = format_html_join(
            "", '<li style="margin:6px 0"><a href="{}"><b>{}</b> – {}</a></li>',
            ((links.url(token, score), score, word) for score, word in WORDS.items()),
        )  # fmt: skip
        html = format_html(
            '<p><b>{}</b></p><p>{}</p><ul style="list-style:none;padding:0">{}</ul><p>{}</p>', asks, hint, rows, end
        )
        # Five long addresses among the words would be hard to read, in a mail as well as in the portal's thread.
        choose = _("From very good to bad, with a word if you like:")
        return Letter("\n\n".join([asks, f"{choose}\n{links.url(token)}", end]), str(html))
