"""What a quote says in its conversation, in the quote's language."""

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.events.safe_text import one_line
from quotes import links, money
from quotes.models import Quote


def covering(quote: Quote, words: str = "") -> str:
    """The reply that the PDF goes with: the agent's words, else a set phrase, and the link."""
    with override(quote.language):
        given = {
            "title": one_line(quote.title, 200),
            "total": money.written(quote.total, quote.currency),
            "day": formats.date_format(quote.valid_until),
            "number": quote.number,
        }
        said = words.strip() or _("Here is our quote for “%(title)s”: %(total)s.") % given
        hint = _("Read, accept or decline quote %(number)s here, until %(day)s:") % given
        return f"{said}\n\n{hint}\n{links.url(quote)}"


def reminder(quote: Quote) -> str:
    with override(quote.language):
        given = {"number": quote.number, "title": quote.title, "day": formats.date_format(quote.valid_until)}
        text = _("Our quote %(number)s “%(title)s” is valid until %(day)s. You can accept or decline it here:") % given
        return f"{text}\n{links.url(quote)}"


def confirmation(quote: Quote) -> str:
    with override(quote.language):
        given = {"number": quote.number, "title": quote.title, "name": quote.answered_name}
        text = _("Thank you: %(name)s accepted quote %(number)s “%(title)s”. We begin.") % given
        if quote.deliver_by is not None:
            text += " " + _("It is done by %(day)s.") % {"day": formats.date_format(quote.deliver_by)}
        return f"{text}\n{links.url(quote)}"
