"""An agent who answers a page by SMS is told by SMS what came of it: whose the page is now."""

from datetime import datetime, timedelta
from typing import Final

from helpdesk.events.actions import Fact, record
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import Ambiguous, NeverRetry
from helpdesk.events.safe_text import one_line
from helpdesk.events.sms_text import one_segment
from phone import accounts

ANSWERED: Final = "phone.page_answered"
"""An agent has answered a page by SMS: {number, words}."""
# Later it would only be wondered at.
TOLD_WITHIN: Final = timedelta(minutes=15)


def ask(number: str, words: str, *, at: datetime) -> None:
    """Have it told, within the caller's transaction."""
    record(Fact(ANSWERED, data={"number": number, "words": one_segment(one_line(words, 400))}), at=at)


@outside
def send(event: Event, at: datetime) -> None:
    """The handler of ANSWERED: one message, never sent twice; that the page is answered does not hang on it. Raises
    RetryLater.
    """
    if at - event.at > TOLD_WITHIN or not accounts.can_text():
        return
    try:
        accounts.create("Messages", accounts.text_form(event.data["number"], event.data["words"]))
    except (Ambiguous, NeverRetry):
        return  # the desk shows whose the page is
