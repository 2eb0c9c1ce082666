"""Every kind of thing that X, Telegram, Mastodon, Bluesky, Discourse and feeds tell: read as what it is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from social.happenings import Batch, Edited, Happening, Media, Reachable, Removed, Revoked, Said
from social.networks.bluesky_reading import read_direct, read_notifications
from social.networks.discourse import Discourse
from social.networks.feed_reading import read_items
from social.networks.mastodon import read_notifications as read_mastodon
from social.networks.telegram_reading import read_updates
from social.networks.x import X

AT = datetime(2026, 1, 12, 8, tzinfo=UTC)
NOW, ISO = int(AT.timestamp()), "2026-01-12T08:00:00.000Z"


def _happened(batch: Batch) -> list[Happening]:
    assert batch.unread == (), batch.unread
    return [one for _account, one in batch.happenings]


def _only(batch: Batch) -> Said:
    said = _happened(batch)[0]
    assert isinstance(said, Said)
    return said


def _x(kind: str, payload: dict[str, Any], **includes: Any) -> Batch:
    event = {
        "event_type": kind,
        "filter": {"user_id": "1"},
        "event_uuid": "-5",
        "payload": payload,
        "includes": includes,
    }
    return X().read(json.dumps({"data": event}).encode(), {}, at=AT)


def test_x() -> None:
    user = {"id": "7", "username": "maria", "name": "Maria"}
    post: dict[str, Any] = {
        "id": "20",
        "author_id": "7",
        "created_at": ISO,
        "conversation_id": "20",
        "text": "a &amp; b https://t.co/1",
    }
    post["entities"] = {"urls": [{"url": "https://t.co/1", "expanded_url": "https://a.example/"}]}
    said = _only(_x("post.mention.create", post, users=[user]))
    assert (said.text, said.author.handle, said.names_us) == ("a & b https://a.example/", "@maria", True)
    assert _only(_x("post.mention.create", {**post, "note_tweet": {"text": "long" * 200}})).text == "long" * 200
    for kind, told in (("quoted", "quote"), ("replied_to", "reply")):
        said = _only(_x("post.reply.create", {**post, "referenced_tweets": [{"type": kind, "id": "19"}]}))
        assert (said.kind, said.parent) == (told, "19")
    passed_on = _x("post.mention.create", {**post, "referenced_tweets": [{"type": "retweeted", "id": "19"}]})
    assert (passed_on.happenings, passed_on.ignored) == ((), ("somebody else's words, passed on",))
    versions = _happened(_x("post.mention.create", {**post, "id": "22", "edit_history_tweet_ids": ["20", "22"]}))
    assert [(type(one), one.about or one.key) for one in versions] == [(Said, "said:20"), (Edited, "20")]
    assert _happened(_x("post.delete", {"id": "22", "edit_history_tweet_ids": ["20", "22"]})) == [Removed("20", AT)]
    assert isinstance(_happened(_x("oauth.revoke", {}))[0], Revoked)
    for kind in ("follow.follow", "like.create", "profile.update.bio", "dm.read", "dm.indicate_typing"):
        assert _x(kind, {"id": "1"}).ignored == (f"a {kind}",)
    direct = {"id": "30", "sender_id": "7", "created_at": ISO, "dm_conversation_id": "1-7", "text": "see"}
    variants = [{"content_type": "video/mp4", "bit_rate": rate, "url": f"https://v.example/{rate}"} for rate in (1, 9)]
    media = [{"media_key": "k", "type": "video", "variants": [{"content_type": "x", "url": "u"}, *variants]}]
    said = _only(_x("dm.received", {**direct, "attachments": {"media_keys": ["k"]}}, media=media))
    assert (said.thread, said.media) == ("dm:1-7", (Media("video", "https://v.example/9"),))
    assert _only(_x("dm.sent", {**direct, "sender_id": "1"})).by_us
    assert _x("dm.received", {**direct, "event_type": "ParticipantsJoin"}).ignored == (
        "somebody joined or left a group",
    )
    assert "encrypted" in _only(_x("chat.received", {"id": "31", "sender_id": "7"})).text


def test_xs_older_webhook() -> None:
    def read(**events: Any) -> Batch:
        return X().read(json.dumps({"for_user_id": "1", **events}).encode(), {}, at=AT)

    user = {"id_str": "7", "screen_name": "maria", "name": "Maria"}
    post = {
        "id_str": "20",
        "created_at": "Mon Jan 12 08:00:00 +0000 2026",
        "text": "short…",
        "truncated": True,
        "user": user,
    }
    whole = {"full_text": "the whole &lt;text&gt;", "entities": {"user_mentions": [{"id_str": "1"}]}}
    said = _only(read(tweet_create_events=[{**post, "extended_tweet": whole}]))
    assert (said.text, said.at, said.names_us, said.url) == (
        "the whole <text>",
        AT,
        True,
        "https://x.com/maria/status/20",
    )
    batch = read(tweet_create_events=[post, {"id_str": 5}, {**post, "id_str": "21", "in_reply_to_status_id_str": "20"}])
    assert ([one.key for _us, one in batch.happenings], len(batch.unread)) == (["said:20", "said:21"], 1)
    assert read(tweet_create_events=[{**post, "retweeted_status": post}]).ignored
    gone = {"status": {"id": "20", "user_id": "7"}, "timestamp_ms": str(NOW * 1000)}
    assert _happened(read(tweet_delete_events=[gone])) == [Removed("20", AT)]
    data = {
        "text": "hello",
        "attachment": {"type": "media", "media": {"type": "photo", "media_url_https": "https://p.example/"}},
    }
    message = {"sender_id": "7", "target": {"recipient_id": "1"}, "message_data": data}
    event = {"type": "message_create", "id": "9", "created_timestamp": str(NOW * 1000), "message_create": message}
    said = _only(read(direct_message_events=[event], users={"7": {"screen_name": "maria"}}))
    assert (said.author.handle, said.thread, said.media) == (
        "@maria",
        "dm:1-7",
        (Media("photo", "https://p.example/"),),
    )
    assert isinstance(_happened(read(user_event={"revoke": {"source": {"user_id": "1"}}}))[0], Revoked)
    for name in ("follow_events", "block_events", "mute_events", "favorite_events", "direct_message_mark_read_events"):
        assert read(**{name: [{}]}).ignored == (f"a {name}",)
    assert read().unread


def _telegram(**update: Any) -> Batch:
    return read_updates([{"update_id": 5, **update}])


def _written(**message: Any) -> Batch:
    chat, sender = {"id": 7, "type": "private"}, {"id": 7, "is_bot": False, "first_name": "Maria"}
    return _telegram(message={"message_id": 3, "date": NOW, "chat": chat, "from": sender, **message})


def test_telegrams_messages() -> None:
    place = {"latitude": 52.5, "longitude": 13.4}
    link = {"type": "text_link", "offset": 3, "length": 4, "url": "https://a.example/"}
    tasks = [{"text": "DNS", "completion_date": 1}, {"text": "mail"}]
    bold = {"type": "bold", "offset": 0, "length": 2}
    for message, words in (
        ({"text": "Hi"}, "Hi"),
        ({"text": "😀 here", "entities": [bold, link]}, "😀 here (https://a.example/)"),
        ({"dice": {"emoji": "🎯", "value": 4}}, "🎯 4"),
        ({"venue": {"title": "DC1", "address": "A 1"}, "location": place}, "DC1 A 1 📍 52.500000, 13.400000"),
        ({"contact": {"first_name": "Max", "phone_number": "+49"}}, "👤 Max +49"),
        ({"poll": {"question": "Up?", "options": [{"text": "yes"}, {"text": "no"}]}}, "📊 Up?\n• yes\n• no"),
        ({"checklist": {"title": "Move", "tasks": tasks}}, "Move\n☑ DNS\n☐ mail"),
        ({"story": {"id": 1}}, "[a story that Telegram does not pass on]"),
        ({"text": "so", "forward_origin": {"sender_user": {"first_name": "Max"}}}, "[passed on from Max]\nso"),
        ({"text": "so", "forward_origin": {"sender_user_name": "M."}}, "[passed on from M.]\nso"),
        ({"text": "so", "forward_origin": {"chat": {"title": "News"}}}, "[passed on from News]\nso"),
        ({"text": "no", "quote": {"text": "is it up?", "position": 0}}, "> is it up?\nno"),
        ({"something_new": {"a": 1}}, "[a something new that cannot be shown here]"),
        ({"successful_payment": {"total_amount": 500, "currency": "EUR"}}, "[paid: 500 EUR]"),
    ):  # fmt: skip
        assert _only(_written(**message)).text.startswith(words)
    for kind in ("document", "audio", "video", "voice", "animation", "video_note", "sticker"):
        said = _only(_written(**{kind: {"file_id": "f", "file_name": "n"}}, caption="c", media_group_id="g"))
        assert (said.media, said.album) == ((Media(kind, id="f", name="n"),), "g")
    sizes = [{"file_id": "small", "width": 90}, {"file_id": "big", "width": 900}]
    assert _only(_written(photo=sizes)).media == (Media("photo", id="big"),)
    assert _only(_written(text="yes", reply_to_message={"message_id": 2})).parent == "7:2"
    assert _only(_written(text="/start abc-1")).claims == "abc-1"
    for kind in ("pinned_message", "message_auto_delete_timer_changed", "write_access_allowed", "users_shared"):
        assert _written(**{kind: {}}).ignored == (f"a {kind.replace('_', ' ')}",)


def test_telegrams_other_updates() -> None:
    private = {"id": 7, "type": "private"}
    for status, reachable in (("kicked", False), ("member", True)):
        member = {"chat": private, "date": NOW, "new_chat_member": {"status": status}}
        assert _happened(_telegram(my_chat_member=member)) == [Reachable("7", AT, reachable)]
    edited = {"message_id": 3, "date": NOW - 9, "edit_date": NOW, "chat": private, "caption": "better"}
    assert _happened(_telegram(edited_message=edited)) == [Edited("7:3", AT, "better", str(NOW), "7")]
    names = (
        "channel_post edited_channel_post business_connection business_message deleted_business_messages inline_query"
    )
    more = "chosen_inline_result callback_query shipping_query poll poll_answer message_reaction chat_join_request"
    for name in f"{names} {more}".split():
        assert _telegram(**{name: {"id": "1"}}).ignored == (f"a {name}",)
    group = {"message_id": 1, "date": NOW, "chat": {"id": -5, "type": "supergroup"}, "from": {"id": 7}, "text": "hi"}
    assert _telegram(message={**group, "migrate_to_chat_id": -6}).ignored == ("a message in a group",)


def _status(**more: Any) -> dict[str, Any]:
    account = {"id": "7", "acct": "maria@b.example", "username": "maria"}
    return {"id": "3", "created_at": ISO, "visibility": "public", "content": "<p>Hi</p>", "account": account, **more}


def test_mastodon() -> None:
    def read(kind: str, **more: Any) -> Batch:
        return read_mastodon([{"id": "1", "type": kind, "status": _status(**more)}])

    said = _only(read("mention", spoiler_text="anger", poll={"options": [{"title": "a"}, {"title": "b"}]}))
    assert said.text == "[anger]\n\nHi\n\n○ a\n○ b"
    files = [{"type": "unknown", "url": None, "id": "8"}, {"type": "image", "url": "https://c.example/1", "id": "9"}]
    assert len(_only(read("mention", content=None, media_attachments=files)).media) == 2
    for visibility, is_public in (
        ("public", True),
        ("unlisted", True),
        ("private", False),
        ("direct", False),
        (None, False),
    ):
        assert _only(read("mention", visibility=visibility)).is_public is is_public
    assert _only(read("quote")).kind == "quote"
    edited_at = AT + timedelta(minutes=1)
    [_said, edited] = _happened(read("mention", edited_at=edited_at.isoformat()))
    assert isinstance(edited, Edited)
    assert edited.at == edited_at
    for kind in ("reblog", "favourite", "follow", "follow_request", "poll", "update", "status", "admin.sign_up", "new"):
        assert read(kind).ignored == (f"a {kind}",)
    assert read_mastodon([{"type": "mention", "status": None}]).ignored == ("a mention of what is gone already",)
    assert (
        len(read_mastodon([{"type": "mention", "status": {"id": 1}}, {"type": "mention", "status": _status()}]).unread)
        == 1
    )


def _bluesky(record: dict[str, Any], reason: str = "mention") -> Batch:
    author = {"did": "did:plc:maria", "handle": "maria.b.example"}
    one = {
        "uri": "at://did:plc:maria/app.bsky.feed.post/3k",
        "cid": "c",
        "reason": reason,
        "author": author,
        "indexedAt": ISO,
    }
    return read_notifications([{**one, "record": {"createdAt": ISO, **record}}])


def test_bluesky() -> None:
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example/the/whole"}
    facet = {"index": {"byteStart": 7, "byteEnd": 17}, "features": [link]}
    assert _only(_bluesky({"text": "höre a.exampl… !", "facets": [facet, {"index": None}]})).text != ""
    text = "look: a.example…!"
    begin = len(b"look: ")
    facet["index"] = {"byteStart": begin, "byteEnd": begin + len("a.example…".encode())}
    assert _only(_bluesky({"text": text, "facets": [facet]})).text == "look: https://a.example/the/whole!"
    picture = {"image": {"ref": {"$link": "bafy" * 5}}}
    quoted = {"uri": "at://did:plc:us/app.bsky.feed.post/3j", "cid": "c"}
    both = {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": quoted}, "media": {"images": [picture]}}
    said = _only(_bluesky({"text": "so", "embed": both}, "quote"))
    assert (said.text, said.kind) == ("so\n\n[https://bsky.app/profile/did:plc:us/post/3j]", "quote")
    assert len(said.media) == 1
    page = {"external": {"uri": "https://b.example/", "title": "B"}}
    assert _only(_bluesky({"text": "", "embed": page})).text == "B · https://b.example/"
    assert _only(_bluesky({"text": "v", "embed": {"video": {}, "alt": "a cat"}})).text == "v\n\n[video] a cat"
    labels = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "porn"}]}
    reply = {"root": quoted, "parent": quoted}
    assert _only(_bluesky({"text": "", "labels": labels, "reply": reply}, "reply")).parent == quoted["uri"]
    for reason in ("like", "repost", "follow", "starterpack-joined", "like-via-repost", "subscribed-post"):
        assert _bluesky({"text": "x"}, reason).ignored == (f"a {reason}",)


def test_blueskys_private_messages() -> None:
    entry = {"$type": "chat.bsky.convo.defs#logCreateMessage", "convoId": "c1"}
    message = {"id": "m1", "sender": {"did": "did:plc:maria"}, "sentAt": ISO, "text": ""}
    shared = {"record": {"uri": "at://did:plc:us/app.bsky.feed.post/3j"}}
    found = read_direct({**entry, "message": {**message, "embed": shared}}, "did:plc:us")
    assert not isinstance(found, str)
    said = found[0][1]
    assert isinstance(said, Said)
    assert said.text == "[https://bsky.app/profile/did:plc:us/post/3j]"
    assert read_direct({**entry, "message": message}, "did:plc:us") == "a deleted message"
    for kind in ("logDeleteMessage", "logReadMessage", "logBeginConvo", "logAddReaction", "logMuteConvo"):
        assert read_direct({"$type": f"chat.bsky.convo.defs#{kind}"}, "did:plc:us") == "another entry of the log"


def test_discourse() -> None:
    def read(event: str, **more: Any) -> Batch:
        post = {"id": 5, "post_number": 2, "topic_id": 9, "username": "maria", "created_at": ISO, "raw": "Hi", **more}
        return Discourse().read(json.dumps({"post": post}).encode(), {"X-Discourse-Event": event}, at=AT)

    cooked = (
        '<p>Hi <img src="/images/emoji/smile.png" class="emoji" alt=":smile:"></p><a class="lightbox" href="/big.png">'
        '<img src="https://f.example/a.png" alt="a"></a><a class="attachment" href="/uploads/short-url/l.log">l.log</a>'
    )
    said = _only(read("post_created", cooked=cooked))
    assert [one.url for one in said.media] == ["https://f.example/a.png", "/uploads/short-url/l.log"]
    [_said, edited] = _happened(read("post_edited", version=3, updated_at=ISO))
    assert isinstance(edited, Edited)
    assert edited.version == "3"
    assert _happened(read("post_destroyed")) == [Removed("5:2", AT, person="maria")]
    assert _happened(read("post_destroyed", deleted_at=ISO)) == [Removed("5:2", AT, person="maria")]
    assert _happened(read("post_recovered"))[-1] == Removed("5:2", AT, "restored", "maria")
    direct = _only(read("post_created", topic_archetype="private_message"))
    assert (direct.is_public, direct.kind) == (False, "direct")
    for kind in (2, 3, 4):
        assert read("post_created", post_type=kind).ignored == ("something that the forum itself said",)
    assert read("post_created", username="system").ignored
    for name in ("topic", "user", "category", "tag", "group", "notification", "user_badge", "like", "chat_message"):
        assert Discourse().read(json.dumps({name: {"id": 1}}).encode(), {}, at=AT).ignored == (f"about a {name}",)


def _feed(text: str, encoding: str = "utf-8") -> list[Said]:
    batch = read_items(text.encode(encoding), (), at=AT, base="https://f.example/feed.xml")
    return [one for one in _happened(batch) if isinstance(one, Said)]


def test_feeds() -> None:
    same = "".join(f"<item><guid>1</guid><title>{n}</title><link>/t/{n}</link></item>" for n in (2, 1))
    first, second = _feed(f"<rss version='2.0'><channel>{same}</channel></rss>")
    assert (first.text, second.text, first.id != second.id) == ("1", "2", True)
    assert (first.url, first.at) == ("https://f.example/t/1", AT)
    nameless = (
        "<rss version='2.0'><channel><item><description>a</description></item><item><description>b</description></item>"
    )
    assert len({one.id for one in _feed(f"{nameless}</channel></rss>")}) == 2
    [plain] = _feed("<rss version='2.0'><channel><item><title>AT&amp;amp;T &amp;lt; us</title></item></channel></rss>")
    assert plain.text == "AT&T < us"
    [cdata] = _feed(
        "<rss version='2.0'><channel><item><description><![CDATA[<p>a<br>b</p>]]></description></item></channel></rss>"
    )
    assert cdata.text == "a\nb"
    item = "<rss version='2.0'><channel><item><title>Größe</title></item></channel></rss>"
    assert _feed(f"<?xml version='1.0' encoding='iso-8859-1'?>{item}", "iso-8859-1")[0].text == "Größe"
    assert "unread" not in _feed(f"<?xml version='1.0' encoding='utf-8'?>{item}", "iso-8859-1")[0].text, "it lies"
    rdf = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
        "<channel rdf:about='x'><title>x</title></channel><item rdf:about='https://f.example/1'><title>one</title></item></rdf:RDF>"
    )
    assert [one.text for one in _feed(rdf)] == ["one"]
    when = "<published>2026-01-11T08:00:00Z</published><updated>2026-01-12T07:00:00Z</updated>"
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>urn:1</id><title>t</title>{when}</entry></feed>"
    [said, edited] = _happened(read_items(atom.encode(), (), at=AT))
    assert isinstance(edited, Edited)
    assert (said.at, edited.at) == (AT - timedelta(days=1), AT - timedelta(hours=1))
    entry = {"id": 5, "content_text": "1 < 2 & 3", "authors": [{"name": "Maria"}], "date_published": "yesterday"}
    [said] = _feed("\ufeff" + json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [entry]}))
    assert (said.text, said.author.name, said.at) == ("1 < 2 & 3", "Maria", AT)
    for wrong in ("<html><body>Sign in</body></html>", "", "not a feed"):
        assert "no feed" in read_items(wrong.encode(), (), at=AT).unread[0].error
