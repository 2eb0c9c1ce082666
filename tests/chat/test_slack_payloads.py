"""What Slack may send us: whatever the bytes, it is read, or said to be unreadable, and nothing else."""

import json
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.slack_payloads import LONGEST_TEXT, Changed, Written, parse_event, parse_shortcut, plain
from chat.slack_words import Happened, fitting, lines
from helpdesk.events.payloads import UnreadablePayload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    ["type", "subtype", "channel", "user", "text", "ts", "thread_ts", "files", "message", "previous_message", "bot_id"]
)
EVENT = st.dictionaries(FIELDS, JSON, max_size=11)


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    for parse in (parse_event, parse_shortcut):
        with suppress(UnreadablePayload):
            assert parse(raw) is None


@given(EVENT, st.sampled_from(["message_changed", "message_deleted", "file_share", None]))
def test_any_message(event: dict[str, object], subtype: str | None) -> None:
    body = {"type": "event_callback", "event": {**event, "type": "message", "subtype": subtype}}
    try:
        found = parse_event(json.dumps(body).encode())
    except UnreadablePayload:
        return
    assert found is None or isinstance(found, Written | Changed)


@given(EVENT)
def test_any_shortcut(message: dict[str, object]) -> None:
    payload = {"type": "message_action", "callback_id": "send_to_customer", "message": message}
    try:
        found = parse_shortcut(urlencode({"payload": json.dumps(payload)}).encode())
    except UnreadablePayload:
        return
    assert found is None or found.is_shortcut


@given(st.text(max_size=2000))
def test_plain_text_of_anything_is_bounded(text: str) -> None:
    assert len(plain(text)) <= LONGEST_TEXT


@pytest.mark.parametrize(
    ("marked", "read"),
    [
        ("<https://x.example|https://x.example>", "https://x.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<@U1|ann> in <#C1|general>, <!here>", "@ann in #general, @here"),
        ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
        ("a < b > c", "a < b > c"),
        ("<" * 5000, "<" * 5000),
    ],
)
def test_marks_are_read_as_people_read_them(marked: str, read: str) -> None:
    assert plain(marked) == read


@given(st.lists(st.text(max_size=5000), min_size=1, max_size=8))
def test_what_fits_one_message_is_told_in_order_and_at_least_one(texts: list[str]) -> None:
    happened = [Happened(n, "message.received", "Uma", text, is_inbound=True) for n, text in enumerate(texts)]
    fits = fitting(happened)
    assert fits == happened[: len(fits)] and fits
    assert len(lines(fits)) <= 2500 * 5 + 100 if len(fits) == 1 else len(lines(fits)) <= 3500
