"""Every kind of thing that WhatsApp, Messenger and a Page tell, after their documentation: read as what it is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from social.happenings import Edited, Happening, Media, Reachable, Removed, Reported, Revoked, Said
from social.networks.facebook import Facebook
from social.networks.whatsapp import WhatsApp

AT = datetime(2026, 1, 12, 8, tzinfo=UTC)
NOW = int(AT.timestamp())


def _whatsapp(
    *messages: dict[str, Any], field: str = "messages", **value: Any
) -> tuple[list[Happening], tuple[str, ...]]:
    given = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, **value}
    if messages:
        given["messages"] = [{"from": "4915112", "id": "wamid.1", "timestamp": str(NOW), **one} for one in messages]
    body = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "w", "changes": [{"field": field, "value": given}]}],
    }
    batch = WhatsApp().read(json.dumps(body).encode(), {}, at=AT)
    assert batch.unread == (), batch.unread
    return [one for _account, one in batch.happenings], batch.ignored


def _said_on_whatsapp(**message: Any) -> Said:
    [said], _ignored = _whatsapp(message)
    assert isinstance(said, Said)
    return said


def test_whatsapps_words() -> None:
    phone = {"phone": "+49 30 1234", "wa_id": "49301234"}
    contact = {"name": {"formatted_name": "Max M"}, "phones": [phone], "emails": [{"email": "max@demo.example"}]}
    items = [{"product_retailer_id": "SKU1", "quantity": "2", "item_price": "9.5", "currency": "EUR"}]
    filled = '{"server":"web14","flow_token":"t"}'
    row, form = {"title": "A", "description": "B"}, {"body": "Sent", "response_json": filled}
    ad = {"source_url": "https://fb.me/x", "headline": "Hosting", "source_type": "ad"}
    errors = [{"code": 131051, "title": "Message type unknown", "error_data": {"details": "Not supported"}}]
    for message, words in (
        ({"type": "text", "text": {"body": "Hi"}}, "Hi"),
        ({"type": "text", "text": {"body": "Hi"}, "referral": ad}, "Hi\n\n[Hosting · https://fb.me/x]"),
        (
            {"type": "text", "text": {"body": "this?"}, "context": {"referred_product": {"product_retailer_id": "S1"}}},
            "this?\n\n[product S1]",
        ),
        ({"type": "button", "button": {"text": "Yes", "payload": "YES"}}, "Yes"),
        ({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"title": "Later"}}}, "Later"),
        ({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": row}}, "A\nB"),
        ({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": form}}, filled),
        ({"type": "location", "location": {"latitude": 52.5, "longitude": 13.4, "name": "DC1"}}, "📍 DC1 52.5, 13.4"),
        ({"type": "contacts", "contacts": [contact]}, "👤 Max M +49 30 1234 max@demo.example"),
        ({"type": "order", "order": {"text": "please", "product_items": items}}, "🛒 please\n2 × SKU1 9.5 EUR"),
        ({"type": "unsupported", "errors": errors}, "[a message that WhatsApp does not pass on: Not supported]"),
        ({"type": "unknown", "errors": errors}, "[a message that WhatsApp does not pass on: Not supported]"),
        ({"type": "something_new", "something_new": {}}, "[a message that WhatsApp does not pass on]"),
    ):  # fmt: skip
        assert _said_on_whatsapp(**message).text == words


def test_whatsapps_files() -> None:
    for kind in ("image", "audio", "video", "document", "sticker"):
        said = _said_on_whatsapp(
            type=kind, **{kind: {"id": "77", "caption": "look", "filename": "a.pdf", "voice": True}}
        )
        assert (said.text, said.media) == ("look", (Media(kind, id="77", name="a.pdf"),))
        kept_back = _said_on_whatsapp(type=kind, **{kind: {}}, errors=[{"code": 131052, "title": "Too large"}])
        assert (kept_back.media, "Too large" in kept_back.text) == ((), True)
    passed_on = _said_on_whatsapp(type="text", text={"body": "x"}, context={"forwarded": True, "id": "wamid.0"})
    assert passed_on.parent == "wamid.0"


def test_what_whatsapp_tells_besides() -> None:
    assert _whatsapp({"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": ""}}) == ([], ("a reaction",))
    moved = {"type": "system", "system": {"type": "user_changed_number", "wa_id": "4915199", "body": "changed"}}
    assert _whatsapp(moved)[0] == [Reachable("4915112", AT, False)]
    assert _whatsapp({"type": "system", "system": {"type": "user_identity_changed"}})[1] == ("a system message",)
    revoked = {"type": "revoke", "revoke": {"original_message_id": "wamid.0"}}
    assert _whatsapp(revoked)[0] == [Removed("wamid.0", AT, person="4915112")]
    new = {"type": "image", "image": {"id": "8", "caption": "better"}}
    edited = {"type": "edit", "edit": {"original_message_id": "wamid.0", "message": new}}
    assert _whatsapp(edited)[0] == [Edited("wamid.0", AT, "better", "wamid.1", "4915112")]
    assert _whatsapp(errors=[{"code": 130429}])[1] == ("a change of messages",)
    assert isinstance(_whatsapp(field="account_update", event="ACCOUNT_DELETED")[0][0], Revoked)
    statuses = [
        {"id": "wamid.9", "status": state, "timestamp": NOW} for state in ("sent", "delivered", "read", "deleted")
    ]
    failed = {
        "id": "wamid.9",
        "status": "failed",
        "timestamp": NOW,
        "errors": [{"code": 131047, "title": "Re-engagement"}],
    }
    told, ignored = _whatsapp(statuses=[*statuses, failed])
    assert [one.state for one in told if isinstance(one, Reported)] == ["sent", "delivered", "read", "failed"]
    assert (ignored, told[-1]) == (("a status deleted",), Reported("wamid.9", AT, "failed", "131047 Re-engagement"))
    many, _ = _whatsapp(
        {"type": "text", "text": {"body": "1"}}, {"id": "wamid.2", "type": "text", "text": {"body": "2"}}
    )
    assert [one.text for one in many if isinstance(one, Said)] == ["1", "2"]


def _facebook(**entry: Any) -> tuple[list[Happening], tuple[str, ...]]:
    body = {"object": "page", "entry": [{"id": "500", "time": NOW, **entry}]}
    batch = Facebook().read(json.dumps(body).encode(), {}, at=AT)
    assert batch.unread == (), batch.unread
    assert {account for account, _one in batch.happenings} <= {"500"}
    return [one for _account, one in batch.happenings], batch.ignored


def _messenger(**event: Any) -> tuple[list[Happening], tuple[str, ...]]:
    return _facebook(messaging=[{"sender": {"id": "7"}, "recipient": {"id": "500"}, "timestamp": NOW * 1000, **event}])


def _said_to_page(**message: Any) -> Said:
    [said], _ignored = _messenger(message={"mid": "m1", **message})
    assert isinstance(said, Said)
    return said


def test_messengers_words_and_files() -> None:
    assert _said_to_page(text="Red", quick_reply={"payload": "R"}).text == "Red"
    assert _said_to_page(text="yes", reply_to={"mid": "m0"}).parent == "m0"
    assert "https://s.example/1" in _said_to_page(text="wow", reply_to={"story": {"url": "https://s.example/1"}}).text
    assert _said_to_page(is_unsupported=True).text == "[a message that Facebook does not pass on]"
    for kind in ("image", "video", "audio", "file", "reel", "ig_reel", "story_mention", "sticker"):
        said = _said_to_page(attachments=[{"type": kind, "payload": {"url": "https://cdn.example/1", "sticker_id": 3}}])
        assert said.media == (Media(kind, "https://cdn.example/1"),)
    for given, words in (
        (
            {"type": "fallback", "payload": {"url": "https://a.example/", "title": "A page"}},
            "A page · https://a.example/",
        ),
        (
            {"type": "fallback", "title": "Old", "url": "https://b.example/", "payload": None},
            "Old · https://b.example/",
        ),
        ({"type": "share", "payload": {"url": "https://c.example/"}}, "https://c.example/"),
        ({"type": "location", "title": "Here", "payload": {"coordinates": {"lat": 1.5, "long": 2}}}, "📍 Here 1.5, 2"),
        ({"type": "template", "payload": {"template_type": "generic", "elements": [{"title": "Plan L"}]}}, "Plan L"),
        ({"type": "template", "payload": {"product": {"elements": [{"title": "Mug"}]}}}, "Mug"),
        ({"type": "appointment_booking", "payload": {}}, "[appointment_booking]"),
    ):
        said = _said_to_page(attachments=[given])
        assert (said.text, said.media) == (words, ())
    typed = _said_to_page(
        text="see https://a.example/", attachments=[{"type": "fallback", "payload": {"url": "https://a.example/"}}]
    )
    assert typed.text == "see https://a.example/"


def test_what_messenger_tells_besides() -> None:
    [pressed], _ = _messenger(postback={"title": "Get started", "payload": "START", "mid": "m2"})
    assert isinstance(pressed, Said)
    assert pressed.text == "Get started"
    assert _messenger(message={"mid": "m1", "is_deleted": True})[0] == [Removed("m1", AT, person="7")]
    edit = {"mid": "m1", "text": "better", "num_edit": 2}
    assert _messenger(message_edit=edit)[0] == [Edited("m1", AT, "better", "2", "7")]
    assert _messenger(delivery={"mids": ["m9"]})[0] == [Reported("", AT, "delivered", person="7")]
    assert _messenger(read={"watermark": NOW * 1000})[0] == [Reported("", AT, "read", person="7")]
    assert _messenger(read={"mid": "m9"})[0] == [Reported("", AT, "read", person="7")]
    names = (
        "reaction",
        "referral",
        "optin",
        "account_linking",
        "pass_thread_control",
        "take_thread_control",
        "app_roles",
    )
    for name in (*names, "request_thread_control", "policy_enforcement"):
        assert _messenger(**{name: {}}) == ([], (f"a {name}",))
    echo = {"mid": "m3", "text": "from the inbox", "is_echo": True, "app_id": 5}
    [ours], _ = _facebook(
        messaging=[{"sender": {"id": "500"}, "recipient": {"id": "7"}, "timestamp": NOW, "message": echo}]
    )
    assert isinstance(ours, Said)
    assert (ours.by_us, ours.thread) == (True, "chat:7")
    aside = {"sender": {"id": "7"}, "recipient": {"id": "500"}, "timestamp": NOW, "message": {"mid": "m4", "text": "?"}}
    [heard], _ = _facebook(standby=[aside])
    assert isinstance(heard, Said)


def _on_page(field: str = "feed", writer: Any = None, **value: Any) -> tuple[list[Happening], tuple[str, ...]]:
    told = {
        "verb": "add",
        "post_id": "500_1",
        "created_time": NOW - 60,
        "from": writer or {"id": "7", "name": "Maria"},
        **value,
    }
    return _facebook(changes=[{"field": field, "value": told}])


def test_what_is_said_on_a_page() -> None:
    picture, video = "https://cdn.example/p.jpg", "https://cdn.example/v.mp4"
    no_writer = {"from": None, "sender_id": "7", "sender_name": "Maria"}
    for value, words, media in (
        ({"item": "status", "message": "Hello"}, "Hello", ()),
        ({"item": "post", "message": "Hello"}, "Hello", ()),
        ({"item": "share", "message": "look", "link": "https://a.example/"}, "look https://a.example/", ()),
        ({"item": "photo", "message": "p", "link": picture}, "p", (Media("photo", picture),)),
        ({"item": "status", "message": "two", "photos": [picture]}, "two", (Media("photo", picture),)),
        ({"item": "video", "message": "v", "link": video}, "v", (Media("video", video),)),
        ({"item": "album", "message": "our trip"}, "our trip", ()),
        ({"item": "comment", "comment_id": "1_2", "message": "c", "photo": picture}, "c", (Media("photo", picture),)),
        ({"item": "comment", "comment_id": "1_3", "parent_id": "1_2", "message": "an answer"}, "an answer", ()),
        ({"item": "comment", "comment_id": "1_4", "message": "", "video": video}, "", (Media("video", video),)),
        ({"field": "mention", "item": "post", "message": "@Demo is down", **no_writer}, "@Demo is down", ()),
    ):  # fmt: skip
        [said], _ = _on_page(**value)
        assert isinstance(said, Said)
        assert (said.text, said.media, said.author.id, said.author.name) == (words, media, "7", "Maria")
        assert said.kind == ("comment" if value["item"] == "comment" else "post")
    given: dict[str, Any] = {"item": "rating", "from": None, "reviewer_id": "7", "reviewer_name": "Maria"}
    given["open_graph_story_id"] = "55"
    [said], _ = _on_page("ratings", **given, post_id=None, recommendation_type="NEGATIVE", review_text="slow")
    assert isinstance(said, Said)
    assert (said.text, said.id, said.author.name) == ("👎 slow", "55", "Maria")
    [ours], _ = _on_page(item="status", message="News", writer={"id": "500", "name": "Demo"})
    assert isinstance(ours, Said)
    assert ours.by_us
    for item in ("like", "reaction"):
        assert _on_page(item=item, reaction_type="angry") == ([], (f"a {item}",))
    for field in ("conversations", "leadgen", "live_videos"):
        assert _facebook(changes=[{"field": field, "value": {}}]) == ([], (f"a change of {field}",))


def test_what_becomes_of_it_on_a_page() -> None:
    """It happened when it was told: `created_time` is still that of the comment."""
    comment = {"item": "comment", "comment_id": "1_2", "parent_id": "500_1"}
    versions = []
    for text in ("second", "third"):
        told, _ = _on_page(**comment, verb="edited", message=text)
        versions += [one for one in told if isinstance(one, Edited)]
    assert [one.text for one in versions] == ["second", "third"]
    assert versions[0].at == AT > AT - timedelta(seconds=60)
    for verb, how in (("hide", "hidden"), ("unhide", "shown"), ("remove", "deleted")):
        [gone], _ = _on_page(**comment, verb=verb)
        assert isinstance(gone, Removed)
        assert (gone.how, gone.id, gone.at) == (how, "1_2", AT)
    [gone], _ = _on_page(item="photo", verb="remove", post_id=None, photo_id="88", created_time=None)
    assert isinstance(gone, Removed)
    assert gone.id == "88"
    assert _on_page(**comment, verb="block") == ([], ("a comment that was block",))
