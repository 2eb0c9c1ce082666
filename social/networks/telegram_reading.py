"""What Telegram's updates say. Pure, never raises, keeps every item of a batch.

Source: core.telegram.org/bots/api#update, #message, #messageentity, #messageorigin.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from helpdesk.events.payloads import as_dict, as_list
from helpdesk.oncall import telegram_updates
from social.happenings import Author, Batch, Edited, Happening, Media, Reachable, Said
from social.networks.gathering import Found, Gathering

_FILES: Final = ("document", "audio", "video", "voice", "animation", "video_note", "sticker")
# What stands beside every message and says nothing by itself.
_ABOUT: Final = frozenset(
    "message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot date"
    " business_connection_id chat forward_origin is_topic_message is_automatic_forward reply_to_message external_reply"
    " quote reply_to_story reply_to_checklist_task_id via_bot edit_date has_protected_content is_from_offline"
    " is_paid_post media_group_id author_signature paid_star_count entities link_preview_options effect_id"
    " caption_entities show_caption_above_media has_media_spoiler reply_markup".split()
)
# What Telegram itself says about a chat.
_SERVICE: Final = frozenset(
    "pinned_message message_auto_delete_timer_changed connected_website write_access_allowed passport_data"
    " proximity_alert_triggered boost_added chat_background_set users_shared chat_shared gift unique_gift"
    " gift_upgrade_sent refunded_payment paid_message_price_changed direct_message_price_changed"
    " checklist_tasks_done checklist_tasks_added giveaway giveaway_created giveaway_winners giveaway_completed"
    " migrate_to_chat_id migrate_from_chat_id new_chat_members left_chat_member".split()
)
_MOST_LINES: Final = 50


def read_updates(updates: Sequence[Any]) -> Batch:
    """Updates as happenings; leaves nothing out."""
    gathered = Gathering()
    for update in updates:
        gathered.take(update, partial(_read, update))
    return gathered.done()


def _read(update: Mapping[str, Any]) -> Found:
    found = _happening(update)
    return found if isinstance(found, str) else [("", found)]


def _happening(update: Mapping[str, Any]) -> Happening | str:
    if telegram_updates.concerns(update):
        return "for who is on call"
    if "message" in update:
        return _said(update["message"])
    if "edited_message" in update:
        message = update["edited_message"]
        if message["chat"]["type"] != "private":
            return "an edit in a group"
        changed = message.get("edit_date") or message["date"]
        chat = str(message["chat"]["id"])
        text = _with_context(message, _words(message))
        return Edited(f"{chat}:{message['message_id']}", _time(changed), text, str(changed), chat)
    if "my_chat_member" in update:
        member = update["my_chat_member"]
        if member["chat"]["type"] != "private":
            return "a group that the bot joined or left"
        status = member["new_chat_member"]["status"]
        return Reachable(str(member["chat"]["id"]), _time(member["date"]), status not in ("kicked", "left"))
    names = [name for name in update if name != "update_id"]
    if not names:
        raise ValueError("an update with nothing in it")
    return f"a {names[0][:40]}"


def _said(message: Mapping[str, Any]) -> Said | str:
    chat, sender = message["chat"], message["from"]
    if chat["type"] != "private":
        return "a message in a group"
    media = _media(message)
    said, number = _words(message), str(chat["id"])
    if not said and not media:
        kind = next((name for name in message if name not in _ABOUT), "message")[:40].replace("_", " ")
        if any(name in message for name in _SERVICE):
            return f"a {kind}"
        said = f"[a {kind} that cannot be shown here]"
    start = said.split(maxsplit=1) if said.startswith("/start") else []
    username, answered = sender.get("username"), as_dict(message.get("reply_to_message")).get("message_id")
    return Said(
        id=f"{number}:{message['message_id']}",
        at=_time(message["date"]),
        author=Author(
            id=number,
            handle=f"@{username}" if username else "",
            name=" ".join(str(sender[part]) for part in ("first_name", "last_name") if sender.get(part)),
            may_dm=True,
            language=str(sender.get("language_code") or "")[:10],
        ),
        text=_with_context(message, said),
        kind="direct",
        thread=f"chat:{number}",
        is_public=False,
        root=f"chat:{number}",
        parent=f"{number}:{answered}" if answered else "",
        media=media,
        album=str(message.get("media_group_id") or ""),
        claims=start[1][:64] if len(start) > 1 else "",
    )


def _with_context(message: Mapping[str, Any], said: str) -> str:
    """Whose words were passed on, and which words of a message they answer."""
    origin = as_dict(message.get("forward_origin"))
    user, chat = as_dict(origin.get("sender_user")), as_dict(origin.get("chat") or origin.get("sender_chat"))
    names = [user.get("first_name"), user.get("last_name"), origin.get("sender_user_name"), chat.get("title")]
    name = " ".join(str(one) for one in names if one)
    passed_on = f"[passed on from {name[:200] or 'somebody'}]" if origin else ""
    quoted = str(as_dict(message.get("quote")).get("text") or "")[:1024]
    quote = "\n".join(f"> {line}" for line in quoted.splitlines())
    return "\n".join(part for part in (passed_on, quote, said) if part)


def _words(message: Mapping[str, Any]) -> str:
    """Text or caption, with the links behind its words; what has neither is described."""
    for words, entities in (("text", "entities"), ("caption", "caption_entities")):
        text = message.get(words)
        if isinstance(text, str) and text:
            return _with_links(text, as_list(message.get(entities)))
    for kind, describe in _DESCRIBED.items():
        if isinstance(message.get(kind), dict):
            return describe({"location": message.get("location"), **message[kind]})
    return ""


def _with_links(text: str, entities: Sequence[Any]) -> str:
    """Addresses behind words, written out; places are counted in UTF-16."""
    links = [as_dict(one) for one in entities if as_dict(one).get("type") == "text_link" and as_dict(one).get("url")]
    if not links:
        return text
    raw = text.encode("utf-16-le", "surrogatepass")
    for link in sorted(links[:100], key=lambda one: -int(one["offset"])):
        end = 2 * (int(link["offset"]) + int(link["length"]))
        raw = raw[:end] + f" ({link['url']})".encode("utf-16-le", "surrogatepass") + raw[end:]
    return raw.decode("utf-16-le", "replace")


def _location(place: Mapping[str, Any]) -> str:
    where = f"{float(place['latitude']):.6f}, {float(place['longitude']):.6f}"
    return f"📍 {where} https://www.openstreetmap.org/?mlat={where.replace(', ', '&mlon=')}"


def _venue(venue: Mapping[str, Any]) -> str:
    named = " ".join(str(venue[part]) for part in ("title", "address") if venue.get(part))
    return f"{named} {_location(venue['location'])}".strip()


def _contact(contact: Mapping[str, Any]) -> str:
    named = [contact.get(part) for part in ("first_name", "last_name", "phone_number")]
    return " ".join(str(one) for one in ("👤", *named) if one)


def _poll(poll: Mapping[str, Any]) -> str:
    options = [f"• {as_dict(one).get('text', '')}" for one in as_list(poll.get("options"))[:_MOST_LINES]]
    return "\n".join([f"📊 {poll.get('question', '')}", *options])


def _checklist(checklist: Mapping[str, Any]) -> str:
    tasks = [as_dict(one) for one in as_list(checklist.get("tasks"))[:_MOST_LINES]]
    lines = [f"{'☑' if one.get('completion_date') else '☐'} {one.get('text', '')}" for one in tasks]
    return "\n".join([str(checklist.get("title") or ""), *lines]).strip()


# In this order: a venue has a location beside it, a game an animation.
_DESCRIBED: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "checklist": _checklist,
    "dice": lambda dice: f"{dice.get('emoji', '🎲')} {dice.get('value', '')}".strip(),
    "sticker": lambda sticker: str(sticker.get("emoji") or ""),
    "game": lambda game: f"🎮 {game.get('title', '')}",
    "invoice": lambda invoice: f"🧾 {invoice.get('title', '')} {invoice.get('description', '')}".strip(),
    "web_app_data": lambda data: str(data.get("data") or "")[:4096],
    "story": lambda _story: "[a story that Telegram does not pass on]",
    "paid_media": lambda _media: "[paid media that Telegram does not pass on]",
    "successful_payment": lambda paid: f"[paid: {paid.get('total_amount', '')} {paid.get('currency', '')}]",
}


def _media(message: Mapping[str, Any]) -> tuple[Media, ...]:
    found = []
    photos = message.get("photo")
    if isinstance(photos, list) and photos:
        largest = max(photos, key=lambda one: int(one.get("file_size") or one.get("width") or 0))
        found.append(Media("photo", id=str(largest["file_id"])))
    for kind in _FILES:
        one = message.get(kind)
        if isinstance(one, dict) and one.get("file_id"):
            found.append(Media(kind, id=str(one["file_id"]), name=str(one.get("file_name") or "")))
    return tuple(found)


def _time(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
