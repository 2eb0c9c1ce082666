"""Events as sentences for the thread. Messages and notes show themselves; what says nothing new has no line."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.conversations import continuing
from helpdesk.days import short_date
from tickets.desk import wording

Names = Mapping[tuple[str, int], str]
Data = Mapping[str, Any]


def line(kind: str, actor: str, data: Data, names: Names) -> str:
    """The sentence for one event, "" where it has none. `actor` is a person's name, or "" for the house itself, which
    says by which rule it did it.
    """
    cause = data.get("cause")
    if not actor and isinstance(cause, Mapping):
        actor = _("Rule “%s”") % cause.get("name", "")
    if kind == "conversation.assigned" and actor and actor == _name(names, "agent", data.get("assignee")):
        return _("%s took it") % actor
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        return ""
    text = sentence(data, names)
    return f"{actor}: {text}" if actor and text else text


def _name(names: Names, kind: str, key: object) -> str:
    return names.get((kind, key), f"{kind} {key}") if isinstance(key, int) else _("nobody")


def _opened(data: Data, names: Names) -> str:
    return _("Opened: %s") % wording.channel_name(str(data.get("channel", "")))


def _assigned(data: Data, names: Names) -> str:
    return _("assigned to %s") % _name(names, "agent", data.get("assignee"))


def _moved(data: Data, names: Names) -> str:
    return _("moved to %s") % _name(names, "team", data.get("team"))


def _prioritized(data: Data, names: Names) -> str:
    return _("priority %(was)s → %(now)s") % {
        "was": wording.priority_name(str(data.get("was"))),
        "now": wording.priority_name(str(data.get("priority"))),
    }


def _status(data: Data, names: Names) -> str:
    return _("status %(was)s → %(now)s") % {
        "was": wording.status_name(str(data.get("was"))),
        "now": wording.status_name(str(data.get("status"))),
    }


def _tagged(data: Data, names: Names) -> str:
    tags = ", ".join(map(str, data.get("tags", ()))) or _("none")
    return _("tags: %s") % tags


def _services(data: Data, names: Names) -> str:
    services = [_name(names, "service", key) for key in data.get("services", ())]
    return _("services: %s") % (", ".join(services) or _("none"))


def _warned(data: Data, names: Names) -> str:
    return _("%s is due soon") % wording.target_name(str(data.get("target", "")))


def _breached(data: Data, names: Names) -> str:
    return _("%s was not kept in time") % wording.target_name(str(data.get("target", "")))


def _instant(text: object) -> str:
    at = parse_datetime(str(text))
    return f"{short_date(localtime(at))}, {localtime(at):%H:%M}" if at else "?"


def _answered(data: Data) -> str:
    when = _instant(data.get("starts_at"))
    said = {
        "accepted": _("The chat of %s is in the customer's calendar"),
        "declined": _("The customer's calendar declined the chat of %s"),
        "tentative": _("The customer may come to the chat of %s, says their calendar"),
    }.get(str(data.get("answer")), "%s") % when
    by, words = data.get("by"), data.get("words")
    return f"{said}{f' ({by})' if by else ''}{f': “{words}”' if words else ''}"


def _filled_in(data: Data, names: Names) -> str:
    return ", ".join(f"{key}: {'–' if value is None else value}" for key, value in dict(data.get("now", {})).items())


def _failed(data: Data, names: Names) -> str:
    return _("A message could not be delivered")


def _mailed(data: Data, names: Names) -> str:
    to, count = str(data.get("to", "")), len(data.get("messages", ()))
    if data.get("what") == continuing.TRANSCRIPT:
        return _("The transcript was mailed to %s") % to
    if not count:
        return _("Mailed to %s, who had not seen it in the chat") % to
    return ngettext(
        "%(count)s answer was mailed to %(to)s, who had not seen it in the chat",
        "%(count)s answers were mailed to %(to)s, who had not seen them in the chat",
        count,
    ) % {"count": count, "to": to}


def _not_mailed(data: Data, names: Names) -> str:
    return _("Mail did not reach the customer: %s") % str(data.get("error", ""))


def _linked(data: Data, names: Names) -> str:
    if "id" not in data:
        previous = data.get("previous")
        return _("continues #%s") % previous if previous else _("continues nothing")
    return _("linked to #%(number)s (%(relation)s)") % {"number": data["id"], "relation": data.get("relation", "")}


def _approval_decided(data: Data, names: Names) -> str:
    said = {
        "approved": _("approved the answer"),
        "declined": _("declined the answer"),
        "withdrawn": _("took the answer back"),
    }
    return said.get(str(data.get("state")), "")


def _moderated(data: Data, names: Names) -> str:
    said = {
        "hide": _("hid a post"),
        "unhide": _("showed a post again"),
        "mute": _("muted who wrote it"),
        "unmute": _("no longer mutes who wrote it"),
        "block": _("blocked who wrote it"),
        "unblock": _("no longer blocks who wrote it"),
        "report": _("reported it to the network"),
        "delete": _("deleted a post"),
    }
    return said.get(str(data.get("kind")), "")


def _covered(data: Data, names: Names) -> str:
    return _("marked a post as abusive") if data.get("is_abusive") else _("said that a post is not abusive")


def _ticket_opened(data: Data, names: Names) -> str:
    return _("opened ticket #%(ticket)s on behalf of #%(thread)s") % {
        "ticket": data.get("ticket", ""),
        "thread": data.get("thread", ""),
    }


def _addresses(data: Data) -> str:
    return ", ".join(map(str, data.get("addresses", ())))


def _says(text: str) -> Callable[[Data, Names], str]:
    return lambda data, names: _(text)


_SENTENCES: dict[str, Callable[[Data, Names], str]] = {
    "chat.joined": _says("joined the chat"),
    "chat.ended": _says("The chat ended"),
    "chat.converted": _says("made it a ticket"),
    "chat.handed_on": _says("handed the chat on"),
    "chat.left": _says("The customer has left the chat while they waited"),
    "chat.returned": _says("The customer is back in the chat"),
    "chat.given_up": _says("The customer has left the chat: it is answered by mail"),
    "chat.declined": _says("declined the chat"),
    "conversation.opened": _opened,
    "conversation.begun": _says("wrote first"),
    "conversation.assigned": _assigned,
    "conversation.released": _says("gave it back"),
    "conversation.moved": _moved,
    "conversation.prioritized": _prioritized,
    "conversation.status_changed": _status,
    "conversation.resolved": _says("resolved it"),
    "conversation.reopened": _says("The customer wrote again: open once more"),
    "conversation.renamed": lambda data, names: _("renamed to “%s”") % data.get("subject", ""),
    "conversation.tagged": _tagged,
    "conversation.services_named": _services,
    "conversation.merged": _says("merged"),
    "conversation.snoozed": lambda data, names: _("put off until %s") % _instant(data.get("until")),
    "conversation.woken": _says("Back from its sleep"),
    "conversation.marked_as_spam": _says("marked it as spam"),
    "conversation.cleared_of_spam": _says("said that it is no spam"),
    "conversation.filled_in": _filled_in,
    "conversation.incident_linked": lambda data, names: _("linked to the incident “%s”") % data.get("name", ""),
    "conversation.incident_unlinked": lambda data, names: _("not about the incident “%s”") % data.get("name", ""),
    "conversation.still_broken": lambda data, names: (
        _("The customer writes again after “%s” was resolved") % data.get("name", "")
    ),
    "conversation.split": lambda data, names: _("split off #%s") % data.get("into", ""),
    "conversation.split_off": lambda data, names: _("split off from #%s") % data.get("from", ""),
    "conversation.linked": _linked,
    "conversation.unlinked": lambda data, names: _("no longer linked to #%s") % data.get("id", ""),
    "conversation.follower_added": lambda data, names: _("in copy from now on: %s") % _addresses(data),
    "conversation.follower_removed": lambda data, names: _("no longer in copy: %s") % _addresses(data),
    "conversation.item_added": lambda data, names: _("to do: %s") % data.get("text", ""),
    "conversation.item_done": lambda data, names: _("done: %s") % data.get("text", ""),
    "conversation.item_reopened": lambda data, names: _("not done yet: %s") % data.get("text", ""),
    "conversation.item_removed": lambda data, names: _("not to do any more: %s") % data.get("text", ""),
    "conversation.time_spent": lambda data, names: _("spent %s min") % data.get("minutes", ""),
    "conversation.time_taken_back": lambda data, names: _("took back %s min") % data.get("minutes", ""),
    "social.approval_asked": _says("asked a second person to read an answer"),
    "social.approval_decided": _approval_decided,
    "social.guard_overridden": lambda data, names: _("let private data stand: %s") % data.get("reason", ""),
    "social.moderated": _moderated,
    "social.covered": _covered,
    "social.ticket_opened": _ticket_opened,
    "social.posted_by_hand": _says("posted it by hand"),
    "social.logged_by_hand": _says("logged it by hand"),
    "social.private_asked": _says("answered in private"),
    "conversation.claimed": _says("The customer has signed in and taken the ticket"),
    "message.edited": _says("The author changed a post"),
    "message.deleted": _says("The author deleted a post"),
    "quote.drafted": _says("began a quote"),
    "quote.sent": lambda data, names: _("sent quote %s") % data.get("number", ""),
    "quote.accepted": lambda data, names: _("%s accepted the quote") % data.get("answered_name", ""),
    "quote.declined": lambda data, names: _("%s declined the quote") % data.get("answered_name", ""),
    "quote.upgrade_chosen": lambda data, names: _("%s wants the plan instead") % data.get("answered_name", ""),
    "quote.expired": lambda data, names: _("Quote %s has expired") % data.get("number", ""),
    "quote.withdrawn": lambda data, names: _("withdrew quote %s") % data.get("number", ""),
    "quote.reminded": lambda data, names: _("The customer is reminded of quote %s") % data.get("number", ""),
    "rating.asked": _says("The customer is asked how our help was"),
    "rating.given": lambda data, names: _("The customer rated our help %s of 5") % data.get("score", ""),
    "rating.looked_at": _says("looked at the low rating"),
    "chat.booked": lambda data, names: _("Chat booked for %s") % _instant(data.get("starts_at")),
    "chat.rebooked": lambda data, names: _("Booked chat moved to %s") % _instant(data.get("starts_at")),
    "chat.booking_cancelled": lambda data, names: _("Chat of %s cancelled") % _instant(data.get("starts_at")),
    "chat.booking_reminded": lambda data, names: (
        _("The customer is reminded of the chat of %s") % _instant(data.get("starts_at"))
    ),
    "chat.booking_held": lambda data, names: _("The chat of %s was held") % _instant(data.get("starts_at")),
    "chat.booking_missed": lambda data, names: (
        _("The customer did not come to the chat of %s") % _instant(data.get("starts_at"))
    ),
    "chat.booking_answered": lambda data, names: _answered(data),
    "customer.noted": _says("changed the notes on the customer"),
    "sender.blocked": lambda data, names: _("blocked %s") % data.get("handle", ""),
    "sender.unblocked": lambda data, names: _("no longer blocks %s") % data.get("handle", ""),
    "message.taken_back": _says("took a reply back before it left"),
    "clock.warned": _warned,
    "clock.breached": _breached,
    "message.failed": _failed,
    "mail.sent": _mailed,
    "mail.failed": _not_mailed,
    "chat.address_asked": _says("There is no address to mail the answer to: the chat asks for one"),
    "chat.address_given": _says("The customer said where to write to"),
    "message.retried": _says("sent a failed message again"),
    "page.triggered": _says("On-call was paged"),
    "page.extended": _says("Another reason was added to the page"),
    "page.escalated": _says("Nobody had acknowledged: the next person was paged"),
    "page.acknowledged": _says("acknowledged the page"),
    "page.unacknowledged": _says("Acknowledged but not taken: on-call is paged again"),
    "page.resolved": _says("The page is resolved"),
}
