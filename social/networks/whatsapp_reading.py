"""What WhatsApp says happened on a number of ours. Pure, never raises, keeps every item of a batch.

Source: developers.facebook.com/docs/whatsapp/cloud-api/webhooks (components, payload examples, messages, statuses).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal

from helpdesk.events.payloads import as_dict, as_list
from social.happenings import Author, Batch, Edited, Happening, Media, Reachable, Removed, Reported, Revoked, Said
from social.networks.gathering import Gathering

WINDOW: Final = timedelta(hours=24)
_FILES: Final = ("image", "video", "audio", "document", "sticker")
_STATES: Final[Mapping[str, Literal["sent", "delivered", "read"]]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
}
# What people choose several of at once: WhatsApp sends each by itself.
_TOGETHER: Final = frozenset({"image", "video"})
_QUIET: Final = frozenset({"reaction", "request_welcome", "ephemeral"})
_NUMBER_CHANGED: Final = frozenset({"user_changed_number", "customer_changed_number"})
# Of an order and of shared contacts, as many as anybody reads.
_MOST_LINES: Final = 50


def read_entries(found: Any, *, at: datetime) -> Batch:
    """Every entry, change, message and status of a delivery. Never raises."""
    gathered = Gathering()
    for entry in as_list(as_dict(found).get("entry")) or [found]:
        for change in as_list(as_dict(entry).get("changes")) or [entry]:
            _read_change(gathered, change, at)
    return gathered.done()


def _read_change(gathered: Gathering, change: Any, at: datetime) -> None:
    value, field = as_dict(as_dict(change).get("value")), str(as_dict(change).get("field", ""))
    number = str(as_dict(value.get("metadata")).get("phone_number_id", ""))
    if field == "account_update":
        gathered.take(change, partial(_account, value, at))
        return
    lists = [(name, as_list(value.get(name))) for name in ("messages", "message_echoes", "statuses")]
    if not any(found for _name, found in lists):
        gathered.take(change, partial(_nothing, change, field))
        return
    names = _names(value)
    for name, found in lists:
        for one in found:
            if name == "statuses":
                gathered.take(one, partial(_status, one, number))
            else:
                gathered.take(one, partial(_message, one, number, names, by_us=name == "message_echoes"))


def _nothing(change: Any, field: str) -> str:
    if not field:
        raise ValueError("this is no delivery of WhatsApp's")
    return f"a change of {field[:60]}"


def _account(value: Mapping[str, Any], at: datetime) -> list[tuple[str, Happening]] | str:
    event = str(value["event"])
    if event in ("ACCOUNT_DELETED", "DISABLED_UPDATE", "PARTNER_REMOVED", "ACCOUNT_OFFBOARDED"):
        return [("", Revoked(at, f"WhatsApp: {event.lower().replace('_', ' ')}"))]
    return f"an account update: {event[:60]}"


def _names(value: Mapping[str, Any]) -> dict[str, str]:
    """Names by telephone number and by the id that stands where people hide their number."""
    found = {}
    for contact in as_list(value.get("contacts")):
        name = str(as_dict(as_dict(contact).get("profile")).get("name", ""))
        for key in ("wa_id", "user_id"):
            if as_dict(contact).get(key):
                found[str(contact[key])] = name
    return found


def _message(
    message: Mapping[str, Any], number: str, names: Mapping[str, str], *, by_us: bool
) -> list[tuple[str, Happening]] | str:
    kind = str(message["type"])
    if kind in _QUIET:
        return f"a {kind}"
    who = str(
        (message.get("to") or message.get("to_user_id")) if by_us else message.get("from") or message["from_user_id"]
    )
    said_at = datetime.fromtimestamp(int(message["timestamp"]), UTC)
    if kind == "system":
        # Who has a new number writes from it; the old one may be somebody else's soon.
        has_moved = as_dict(message.get("system")).get("type") in _NUMBER_CHANGED
        return [(number, Reachable(who, said_at, False))] if has_moved else "a system message"
    if kind == "revoke":
        return [(number, Removed(str(message["revoke"]["original_message_id"]), said_at, person=who))]
    if kind == "edit":
        changed = as_dict(message["edit"].get("message"))
        original = str(message["edit"]["original_message_id"])
        return [(number, Edited(original, said_at, _words(changed), str(message["id"]), who))]
    said = Said(
        id=str(message["id"]),
        at=said_at,
        author=Author(id=who, handle=f"+{who}" if who.isdigit() else "", name=names.get(who, ""), may_dm=True),
        text=_words(message),
        kind="direct",
        thread=f"chat:{who}",
        is_public=False,
        by_us=by_us,
        root=f"chat:{who}",
        parent=str(as_dict(message.get("context")).get("id") or ""),
        media=_media(message, kind),
        album=f"pictures:{who}" if kind in _TOGETHER and not by_us else "",
        window_ends_at=said_at + WINDOW,
    )
    return [(number, said)]


def _words(message: Mapping[str, Any]) -> str:
    """What was said, whatever kind of message it is; with the advertisement or product that it is about."""
    kind = str(message.get("type", ""))
    content = as_dict(message.get(kind))
    read = _READ.get(kind)
    if read is not None:
        said = read(message if kind == "contacts" else content)
    elif kind in _FILES:
        # A file without an id was too large, or of a kind that WhatsApp keeps to itself.
        said = str(content.get("caption") or "") if content.get("id") else f"[{kind}: {_trouble(message)}]"
    else:
        said = f"[{_trouble(message)}]"
    return "\n\n".join(part for part in (said, _about(message)) if part)


def _trouble(message: Mapping[str, Any]) -> str:
    """Why there is nothing to read, in WhatsApp's words where it has any."""
    error = as_dict((as_list(message.get("errors")) or [None])[0])
    why = as_dict(error.get("error_data")).get("details") or error.get("title") or ""
    kind = str(as_dict(message.get("unsupported")).get("type") or "message")[:40]
    return f"a {kind} that WhatsApp does not pass on" + (f": {str(why)[:300]}" if why else "")


def _about(message: Mapping[str, Any]) -> str:
    """The advertisement that they came from, or the product that they ask about."""
    ad = as_dict(message.get("referral"))
    if ad:
        words = " · ".join(str(ad[name])[:300] for name in ("headline", "source_url") if ad.get(name))
        return f"[{words or 'from an advertisement'}]"
    product = as_dict(as_dict(message.get("context")).get("referred_product"))
    return f"[product {str(product.get('product_retailer_id') or '')[:100]}]" if product else ""


def _chosen(content: Mapping[str, Any]) -> str:
    """The button, the row of a list, or the form that was filled in."""
    kind = str(content.get("type", ""))
    chosen = as_dict(content.get(kind))
    filled = str(chosen.get("response_json") or "")[:4000]
    words = [str(chosen[name]) for name in ("title", "description") if chosen.get(name)]
    said = "\n".join(words) or filled or str(chosen.get("body") or chosen.get("response") or "")
    return said or f"[{kind or 'a choice'}]"


def _place(content: Mapping[str, Any]) -> str:
    where = f"{content.get('latitude')}, {content.get('longitude')}"
    named = [str(content[name]) for name in ("name", "address", "url") if content.get(name)]
    return " ".join(["📍", *named, where])


def _people(message: Mapping[str, Any]) -> str:
    return "\n".join(_person(as_dict(one)) for one in as_list(message.get("contacts"))[:_MOST_LINES])


def _person(contact: Mapping[str, Any]) -> str:
    name = as_dict(contact.get("name")).get("formatted_name") or ""
    phones = [as_dict(one).get("phone") or as_dict(one).get("wa_id") for one in as_list(contact.get("phones"))]
    mails = [as_dict(one).get("email") for one in as_list(contact.get("emails"))]
    return " ".join(str(one) for one in ("👤", name, *phones, *mails) if one)


def _order(content: Mapping[str, Any]) -> str:
    items = [as_dict(one) for one in as_list(content.get("product_items"))[:_MOST_LINES]]
    lines = [
        f"{one.get('quantity') or 1} × {one.get('product_retailer_id') or ''}"
        f" {one.get('item_price') or ''} {one.get('currency') or ''}".rstrip()
        for one in items
    ]
    return "\n".join(["🛒 " + str(content.get("text") or ""), *lines]).strip()


_READ: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "text": lambda content: str(content.get("body") or ""),
    "button": lambda content: str(content.get("text") or content.get("payload") or ""),
    "interactive": _chosen,
    "location": _place,
    "contacts": _people,
    "order": _order,
}


def _media(message: Mapping[str, Any], kind: str) -> tuple[Media, ...]:
    content = as_dict(message.get(kind))
    if kind not in _FILES or not content.get("id"):
        return ()
    return (Media(kind, id=str(content["id"]), name=str(content.get("filename") or "")),)


def _status(status: Mapping[str, Any], number: str) -> list[tuple[str, Happening]] | str:
    state = str(status["status"])
    reported_at = datetime.fromtimestamp(int(status["timestamp"]), UTC)
    if state == "failed":
        error = as_dict((as_list(status.get("errors")) or [{}])[0])
        words = f"{error.get('code', '')} {error.get('title') or error.get('message') or ''}".strip()
        return [(number, Reported(str(status["id"]), reported_at, "failed", words))]
    if state not in _STATES:
        return f"a status {state[:40]}"
    return [(number, Reported(str(status["id"]), reported_at, _STATES[state]))]
