"""What is to happen to a quote by the clock; QUOTE_DUES names what does it, functions of (quote, at)."""

from helpdesk.events.dues import Dues
from quotes.holding import held_or_gone
from quotes.models import QuoteDue

_dues = Dues(QuoteDue, "quote", "QUOTE_DUES", held_or_gone)
plan, drop, sweep = _dues.plan, _dues.drop, _dues.sweep
