"""What comes back from PagerDuty and Slack: recorded payloads, the stand-ins' payloads, and garbage."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.events.payloads import LARGEST_BODY, UnreadablePayload
from helpdesk.oncall.provider_messages import (
    PAGERDUTY_TYPES,
    SlackAction,
    parse_pagerduty,
    parse_pagerduty_incidents,
    parse_slack_interaction,
    slack_challenge,
)
from tests.fixtures.providers import PagerDutyServer, SlackMessage, SlackServer

DATA = Path(__file__).parents[3] / "shared" / "data" / "integrations"
AT = datetime(2026, 1, 9, 18, 45, tzinfo=UTC)
PARSERS: list[Callable[[bytes], object]] = [
    parse_pagerduty,
    parse_pagerduty_incidents,
    parse_slack_interaction,
    slack_challenge,
]


def recorded(folder: str) -> list[tuple[str, bytes]]:
    if not (DATA / folder).exists():
        pytest.skip(f"the shared test data is not here: {folder}")
    return [(path.name, path.read_bytes()) for path in sorted((DATA / folder).rglob("*.json"))]


def form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def incident(kind: str = "incident.acknowledged", **changes: Any) -> bytes:
    event: dict[str, Any] = {
        "id": "01EVENT",
        "event_type": kind,
        "occurred_at": "2026-01-09T19:45:00.500+01:00",
        "agent": {"id": "PLH1HKV", "summary": "Grace Hopper", "type": "user_reference"},
        "data": {"id": "PGR0VU2", "incident_key": "helpdesk:conversation:7"},
    }
    return json.dumps({"event": event | changes}).encode()


def press(**changes: Any) -> bytes:
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": "U1", "username": "grace", "name": "grace.h"},
        "container": {"message_ts": "1.2", "channel_id": "C1"},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"action_id": "acknowledge_page", "value": "42"}],
    }
    return form(payload | changes)


def test_every_recorded_pagerduty_payload_is_read() -> None:
    payloads = recorded("pagerduty")
    events = [parse_pagerduty(raw) for _, raw in payloads]
    assert len(payloads) >= 15
    changed = [event for event in events if event is not None]
    assert [event.type for event in changed] == ["incident.priority_updated"]
    assert changed[0].dedup_key == "d3640fbd41094207a1c11e58e46b1662"
    assert changed[0].occurred_at == datetime(2020, 10, 2, 18, 45, 22, 169000, tzinfo=UTC)
    assert (changed[0].agent_name, changed[0].agent_email) == ("Tenex Engineer", None)


def test_every_recorded_slack_payload_is_read() -> None:
    payloads = recorded("slack/bolt_payloads") + recorded("slack/shapes") + recorded("slack/python-sdk-fixtures")
    assert len(payloads) > 200
    challenges = {name: slack_challenge(raw) for name, raw in payloads}
    assert [name for name, challenge in challenges.items() if challenge] == [
        "events_url_verification__event_body_008.json"
    ]
    pressed = [parse_slack_interaction(form(json.loads(raw))) for _, raw in payloads]
    assert pressed == [None] * len(payloads), "no recorded button is ours"


def test_recorded_button_under_our_name_acknowledges() -> None:
    payloads = dict(recorded("slack/bolt_payloads"))
    body = json.loads(payloads["block_actions__body_015.json"])
    body["actions"][0] |= {"action_id": "acknowledge_page", "value": "42"}
    assert parse_slack_interaction(form(body)) == SlackAction(
        page_id=42,
        user_id="W111",
        user_name="primary-owner",
        response_url="https://hooks.slack.com/actions/T111/111/random-value",
        channel="C111",
        message_ts="111.222",
        team="T111",
        user_team="T111",
    )


@pytest.mark.parametrize("kind", sorted(PAGERDUTY_TYPES))
def test_pagerduty_event(kind: str) -> None:
    event = parse_pagerduty(incident(kind))
    assert event is not None
    assert (event.id, event.type, event.incident_id) == ("01EVENT", kind, "PGR0VU2")
    assert event.dedup_key == "helpdesk:conversation:7"
    assert event.occurred_at == datetime(2026, 1, 9, 18, 45, 0, 500000, tzinfo=UTC)
    assert (event.agent_name, event.agent_email) == ("Grace Hopper", None)


def test_pagerduty_agent_may_be_nobody_or_have_an_address() -> None:
    nobody = parse_pagerduty(incident(agent=None))
    known = parse_pagerduty(incident(agent={"summary": "Grace", "email": "grace@demo.example"}))
    assert nobody is not None and known is not None
    assert (nobody.agent_name, nobody.agent_email) == ("", None)
    assert known.agent_email == "grace@demo.example"


@pytest.mark.parametrize("kind", ["pagey.ping", "service.updated", "incident.annotated", "incident.new_thing", None, 7])
def test_pagerduty_types_we_do_not_use(kind: Any) -> None:
    assert parse_pagerduty(incident(kind)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": ""},
        {"occurred_at": None},
        {"occurred_at": "yesterday"},
        {"occurred_at": "0001-01-01T00:00:00+14:00"},
        {"occurred_at": 1767984300},
    ],
)
def test_pagerduty_event_without_sense(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadablePayload):
        parse_pagerduty(incident(**changes))


def test_text_that_a_database_refuses_is_cleaned() -> None:
    raw = incident(agent={"summary": "Gr\x00ace\ud800\n\u202eHopper"}, data={"incident_key": "a\x00b"})
    event = parse_pagerduty(raw)
    assert event is not None
    assert (event.agent_name, event.dedup_key) == ("Grace? Hopper", "ab")


def test_slack_press() -> None:
    action = parse_slack_interaction(press())
    assert action is not None
    assert (action.page_id, action.user_id, action.user_name) == (42, "U1", "grace")
    assert (action.channel, action.message_ts) == ("C1", "1.2")


@pytest.mark.parametrize("value", [None, "", "-1", "0", "4.2", "٤٢", str(2**63), "1" * 5000, 42, {"a": 1}])
def test_slack_press_without_a_page(value: Any) -> None:
    with pytest.raises(UnreadablePayload):
        parse_slack_interaction(press(actions=[{"action_id": "acknowledge_page", "value": value}]))


def test_slack_press_by_nobody() -> None:
    with pytest.raises(UnreadablePayload):
        parse_slack_interaction(press(user=None))


def test_slack_requests_that_are_not_ours() -> None:
    assert parse_slack_interaction(press(actions=[{"action_id": "open_conversation"}])) is None
    assert parse_slack_interaction(press(actions="x")) is None
    assert parse_slack_interaction(b"command=%2Fhelp&text=") is None
    assert slack_challenge(b'{"type":"event_callback"}') is None


GARBAGE = [
    b"",
    b"\xff\xfe\x00",
    b"null",
    b"[1]",
    b'"x"',
    b"{",
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b'{"type":"url_verification"}',
    b"1" * 10_000,
    b"payload=" + b"%5B" * 50_000,
    b"payload={}&" + b"a=1&" * 10_000,
    b" " * (LARGEST_BODY + 1),
]


@pytest.mark.parametrize("raw", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage(raw: bytes) -> None:
    unreadable = 0
    for parse in PARSERS:
        try:
            assert parse(raw) is None
        except UnreadablePayload:
            unreadable += 1
    assert unreadable >= 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("id", "event_type", "occurred_at", "agent", "data"), JSON)
        | {"event_type": st.sampled_from(sorted(PAGERDUTY_TYPES))},
    )
)
def test_pagerduty_shapes_never_raise_anything_else(event: dict[str, Any]) -> None:
    try:
        found = parse_pagerduty(json.dumps({"event": event}).encode())
    except UnreadablePayload:
        return
    assert found is None or found.occurred_at.tzinfo is UTC


@given(
    st.fixed_dictionaries(
        {"type": st.just("block_actions")},
        optional=dict.fromkeys(("user", "container", "channel", "message", "response_url"), JSON)
        | {
            "actions": st.lists(JSON | st.fixed_dictionaries({"action_id": st.just("acknowledge_page"), "value": JSON}))
        },
    )
)
def test_slack_shapes_never_raise_anything_else(payload: dict[str, Any]) -> None:
    try:
        found = parse_slack_interaction(form(payload))
    except UnreadablePayload:
        return
    assert found is None or found.page_id > 0


@given(st.binary(max_size=300))
def test_bytes_never_raise_anything_else(raw: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(raw)
        except UnreadablePayload:
            continue


def test_what_the_stand_ins_send_is_what_we_read() -> None:
    with PagerDutyServer() as pagerduty, SlackServer() as slack:
        event = parse_pagerduty(pagerduty.webhook("incident.acknowledged", "key-1", AT)[1])
        button = {"type": "button", "action_id": "acknowledge_page", "value": "7"}
        message = SlackMessage("C0ONCALL1", "1.2", "text", [{"type": "actions", "elements": [button]}])
        action = parse_slack_interaction(slack.press(message, AT)[1])
    assert event is not None and (event.dedup_key, event.occurred_at) == ("key-1", AT)
    assert action is not None and (action.page_id, action.user_name) == (7, "grace")


def listed(**changes: Any) -> bytes:
    incident = {
        "incident_key": "test:1",
        "status": "acknowledged",
        "created_at": "2026-01-12T09:00:00Z",
        "last_status_change_at": "2026-01-12T09:05:00+01:00",
        "last_status_change_by": {"type": "user_reference", "summary": "Grace Hopper"},
        "acknowledgements": [
            {"at": "2026-01-12T09:01:00Z", "acknowledger": {"type": "user_reference", "summary": "Ada"}},
            {"at": "2026-01-12T09:03:00Z", "acknowledger": {"type": "service_reference", "summary": "Helpdesk"}},
            {"at": "2026-01-12T09:02:00Z", "acknowledger": {"type": "user_reference", "summary": "Linus"}},
        ],
    }
    return json.dumps({"incidents": [incident | changes]}).encode()


def test_an_incident_that_was_asked_for() -> None:
    (found,) = parse_pagerduty_incidents(listed())
    assert (found.dedup_key, found.is_open, found.changed_by) == ("test:1", True, "Grace Hopper")
    assert found.changed_at == datetime(2026, 1, 12, 8, 5, tzinfo=UTC)
    assert (found.acknowledged_at, found.acknowledged_by) == (datetime(2026, 1, 12, 9, 2, tzinfo=UTC), "Linus")


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({"status": "resolved"}, False),
        ({"status": "resolved", "resolve_reason": None}, False),
        ({"status": "resolved", "resolve_reason": {"type": "merge_resolve_reason"}}, True),
        ({"status": "triggered"}, True),
        ({"status": "something new"}, True),
    ],
)
def test_whether_an_incident_is_open(changes: dict[str, Any], is_open: bool) -> None:
    assert [incident.is_open for incident in parse_pagerduty_incidents(listed(**changes))] == [is_open]


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"incidents": {}}', b'{"incidents": [7]}', listed(created_at="yesterday"), b"\xff"]
)
def test_incidents_that_make_no_sense(raw: bytes) -> None:
    with pytest.raises(UnreadablePayload):
        parse_pagerduty_incidents(raw)


def test_incidents_with_gaps_are_read() -> None:
    odd = listed(last_status_change_at=None, last_status_change_by=None, acknowledgements={"at": 1}, incident_key=None)
    (found,) = parse_pagerduty_incidents(odd)
    assert (found.changed_at, found.changed_by, found.acknowledged_at) == (found.created_at, "", None)


def test_resolved_by_a_merge_is_not_told() -> None:
    event = {
        "id": "01",
        "event_type": "incident.resolved",
        "occurred_at": "2026-01-12T09:00:00Z",
        "data": {"incident_key": "test:1", "resolve_reason": {"type": "merge_resolve_reason"}},
    }
    assert parse_pagerduty(json.dumps({"event": event}).encode()) is None
    event["data"] = {"incident_key": "test:1", "resolve_reason": None}
    assert parse_pagerduty(json.dumps({"event": event}).encode()) is not None
