"""Text messages from customers: each a message, in their order; STOP and START are obeyed; agents answer pages."""

import re
from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.lookup import customer_of
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.oncall import answering, page_words
from helpdesk.oncall.models import AgentAddress, Page
from helpdesk.oncall.page_words import say
from phone import callers, confirming, pictures
from phone.lines import IDENTITY
from phone.models import OptOut
from phone.told import Text

# https://www.twilio.com/docs/messaging/features/opt-in-and-out; Twilio itself stops sending on these words.
_STOPS: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "arret", "alto", "stopp"}
)
_STARTS: Final = frozenset({"start", "unstop", "yes"})
_COMMAND: Final = re.compile(r"(ack|acknowledge|pass|1|2)(?:\s+#?([0-9]{1,19}|all))?[\s.!]*", re.IGNORECASE | re.ASCII)


@transaction.atomic
def receive(text: Text, *, at: datetime) -> None:
    """File one text message; the same one again changes nothing."""
    agent = answering.at_address(AgentAddress.Kind.PHONE, text.sender, "SMS") if text.sender else None
    command = _COMMAND.fullmatch(text.text.strip()[:60])
    if agent is not None and command is not None:
        _answer_page(agent, command.group(1).lower(), (command.group(2) or "").lower(), at)
        return
    if text.sender:
        _obey(text, at)
    _file(text, at)


def receive_once(text: Text, *, at: datetime) -> bool:
    """File a text that Twilio has listed, unless it came in as it should; whether it was missed."""
    if not is_missing(text):
        return False
    receive(text, at=at)
    return True


def is_missing(text: Text) -> bool:
    """Whether a text that Twilio has listed never came in."""
    if not text.sender or _is_for_pages(text):
        return False
    customer = customer_of(IDENTITY, text.sender)
    return customer is None or not _is_filed(customer, text)


def _is_for_pages(text: Text) -> bool:
    """An agent's answer to a page that came by the list is too old to be meant."""
    return answering.at_address(AgentAddress.Kind.PHONE, text.sender, "SMS") is not None


def _answer_page(who: answering.Answerer, word: str, which: str, at: datetime) -> None:
    """Do what the agent has written, and tell them what came of it."""
    language = who.user.language
    if which == "all":
        pages = answering.acknowledge_all(who, at=at)
        confirming.ask(who.address, say(language, page_words.ALL_YOURS, count=len(pages)), at=at)
        return
    number = int(which) if which else answering.newest(who, at=at)
    change = answering.pass_on if word in ("pass", "2") else answering.acknowledge
    page = change(number, who, at=at) if number is not None else None
    confirming.ask(who.address, _came_of_it(page, who, language), at=at)


def _came_of_it(page: Page | None, who: answering.Answerer, language: str) -> str:
    if page is None:
        return say(language, page_words.NOT_THERE)
    if page.state == Page.State.TRIGGERED:
        return say(language, page_words.HANDED_ON, page=page.pk)
    if page.acknowledged_by == who.user:
        return say(language, page_words.YOURS, page=page.pk)
    taken_by = page.acknowledged_by.name if page.acknowledged_by else page.acknowledged_via
    return say(language, page_words.TAKEN, page=page.pk, who=taken_by)


def _obey(text: Text, at: datetime) -> None:
    word = text.text.strip().lower().rstrip(".!")
    if text.opts == "STOP" or word in _STOPS:
        opt_out(text.sender, f"They wrote {text.text.strip()[:20]!r}", at=at)
    elif text.opts == "START" or word in _STARTS:
        OptOut.objects.filter(number=text.sender).delete()


def _file(text: Text, at: datetime) -> None:
    callers.lock_person(text.sender or text.sid)
    thread = callers.thread_of(text.sender, text.sid)
    if not text.sender and Conversation.objects.filter(channel=callers.TEXT, owner=text.line, thread=thread).exists():
        return
    customer, is_known = callers.known_or_new(text.sender, "", at=at)
    # What was written back to somebody who called is answered there.
    going_on = callers.newest_conversation(customer, (callers.TEXT, callers.CALL)) if text.sender else None
    if _is_filed(customer, text):
        return
    words = text.text.strip() or ("[picture]" if text.media else "(without words)")
    message = conversations.receive_message(
        Inbound(
            channel=callers.TEXT,
            customer=customer,
            at=at,
            text=words,
            subject="" if going_on else words.partition("\n")[0][:80],
            external_id=f"text:{text.sid}",
            owner=text.line,
            thread=thread,
            conversation_id=going_on.pk if going_on else None,
            is_verified=is_known,
        )
    )
    pictures.expect(message, text.sid, text.media, at=at)


def _is_filed(customer: Customer, text: Text) -> bool:
    return Message.objects.filter(conversation__customer=customer, external_id=f"text:{text.sid}").exists()


def opt_out(number: str, why: str, *, at: datetime) -> None:
    """They are not written to any more by SMS, until they write START."""
    made = OptOut.objects.bulk_create([OptOut(number=number, why=why[:200], since=at)], ignore_conflicts=True)
    if made:
        record(Fact("phone.opted_out", data={"number": number, "why": why[:200]}), at=at)


def has_opted_out(number: str) -> OptOut | None:
    return OptOut.objects.filter(number=number).first()
