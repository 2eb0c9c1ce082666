"""The question as a mail: a link a score, of which none does anything by being opened."""

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
        hint = _("One click is enough; on the page you can add a word.")
        end = _("The links work for 14 days. If something is still not right, simply answer this mail.")
        lines = [f"{score} – {word}: {links.url(token, score)}" for score, word in WORDS.items()]
        rows = format_html_join(
            "", '<li style="margin:6px 0"><a href="{}"><b>{}</b> – {}</a></li>',
            ((links.url(token, score), score, word) for score, word in WORDS.items()),
        )  # fmt: skip
        html = format_html(
            '<p><b>{}</b></p><p>{}</p><ul style="list-style:none;padding:0">{}</ul><p>{}</p>', asks, hint, rows, end
        )
        return Letter("\n\n".join([asks, hint, "\n".join(lines), end]), str(html))
