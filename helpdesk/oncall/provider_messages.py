"""What PagerDuty and Slack tell us, calling or asked, reduced to what paging needs. Pure; verify signatures first.

Each parser returns what it found, None for something readable that does not concern us, or raises UnreadablePayload;
nothing else, whatever the bytes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from helpdesk.events.payloads import UnreadablePayload, as_dict, form_fields, json_object
from helpdesk.events.safe_text import one_line, storable
from helpdesk.numbers import LARGEST_ID
from helpdesk.oncall.pagers.slack import ACKNOWLEDGE_ACTION

PAGERDUTY_TYPES = frozenset(
    f"incident.{what}"
    for what in (
        *("triggered", "acknowledged", "unacknowledged", "resolved", "reopened"),
        *("reassigned", "delegated", "escalated", "priority_updated"),
    )
)


@dataclass(frozen=True)
class PagerDutyEvent:
    """One webhook v3 event about an incident. `dedup_key` is the one we triggered with, "" if PagerDuty sent none.

    `occurred_at` is in UTC. `agent_name` is "" when nobody in particular did it (our own API call, a timeout).
    """

    id: str
    type: str
    dedup_key: str
    occurred_at: datetime
    agent_name: str
    agent_email: str | None
    incident_id: str


@dataclass(frozen=True)
class PagerDutyIncident:
    """One incident of the REST API. Names are "" where no person did it; the newest acknowledgement by one counts.

    An incident merged into another is open: whoever merged it did not say that it is over. Times are in UTC.
    """

    dedup_key: str
    is_open: bool
    created_at: datetime
    changed_at: datetime
    changed_by: str
    acknowledged_at: datetime | None
    acknowledged_by: str


@dataclass(frozen=True)
class SlackAction:
    """Somebody pressed Acknowledge on the message `channel`/`message_ts`. `team` is the workspace of the message, and
    `user_team` theirs, another one in a channel that two companies share; "" where Slack does not say.
    """

    page_id: int
    user_id: str
    user_name: str
    response_url: str
    channel: str
    message_ts: str
    team: str = ""
    user_team: str = ""


def parse_pagerduty(raw: bytes) -> PagerDutyEvent | None:
    """A webhook v3 body (https://developer.pagerduty.com/docs/webhooks-overview); None for types we do not use, and
    for one merged into another: whoever did that did not say that it is over.
    """
    event = as_dict(json_object(raw).get("event"))
    kind = _text(event.get("event_type"), 100)
    if kind not in PAGERDUTY_TYPES:
        return None
    data, agent = as_dict(event.get("data")), as_dict(event.get("agent"))
    if kind == "incident.resolved" and _is_merged(data):
        return None
    identifier = _text(event.get("id"), 255)
    if not identifier:
        raise UnreadablePayload("the event has no id")
    return PagerDutyEvent(
        id=identifier,
        type=kind,
        dedup_key=_text(data.get("incident_key"), 255),
        occurred_at=_moment(event.get("occurred_at")),
        agent_name=_line(agent.get("summary"), 200),
        agent_email=_line(agent.get("email"), 254) or None,
        incident_id=_text(data.get("id"), 255),
    )


def parse_pagerduty_incidents(raw: bytes) -> list[PagerDutyIncident]:
    """The answer to GET /incidents (https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents)."""
    found = json_object(raw).get("incidents")
    if not isinstance(found, list):
        raise UnreadablePayload("no list of incidents")
    return [_incident(as_dict(one)) for one in found]


def _incident(data: dict[str, Any]) -> PagerDutyIncident:
    created_at = _moment(data.get("created_at"))
    given = data.get("acknowledgements")
    by_people = [
        (_moment(as_dict(one).get("at")), name)
        for one in (given if isinstance(given, list) else [])
        if (name := _person(as_dict(one).get("acknowledger")))
    ]
    acknowledged_at, acknowledged_by = max(by_people, default=(None, ""))
    return PagerDutyIncident(
        dedup_key=_text(data.get("incident_key"), 255),
        is_open=_text(data.get("status"), 20) != "resolved" or _is_merged(data),
        created_at=created_at,
        changed_at=_moment(data["last_status_change_at"]) if data.get("last_status_change_at") else created_at,
        changed_by=_person(data.get("last_status_change_by")),
        acknowledged_at=acknowledged_at,
        acknowledged_by=acknowledged_by,
    )


def _is_merged(data: dict[str, Any]) -> bool:
    return as_dict(data.get("resolve_reason")).get("type") == "merge_resolve_reason"


def _person(reference: Any) -> str:
    """The name behind a reference to a user; "" for a service, an integration, an escalation policy."""
    found = as_dict(reference)
    return _line(found.get("summary"), 200) if found.get("type") in ("user_reference", "user") else ""


def parse_slack_interaction(raw: bytes) -> SlackAction | None:
    """The form body of an interactivity request; None for buttons, dialogs and commands that are not ours."""
    form = form_fields(raw)
    if "payload" not in form:
        if "command" in form:
            return None
        raise UnreadablePayload("the form has no payload field")
    return _acknowledgement(json_object(form["payload"].encode("utf-8", "replace")))


def slack_challenge(raw: bytes) -> str | None:
    """The challenge to echo when Slack verifies the events URL; None for any other event."""
    body = json_object(raw)
    if body.get("type") != "url_verification":
        return None
    challenge = _text(body.get("challenge"), 1000)
    if not challenge:
        raise UnreadablePayload("url_verification without a challenge")
    return challenge


def _acknowledgement(payload: dict[str, Any]) -> SlackAction | None:
    actions = payload.get("actions")
    if payload.get("type") != "block_actions" or not isinstance(actions, list):
        return None
    pressed = [as_dict(action) for action in actions if as_dict(action).get("action_id") == ACKNOWLEDGE_ACTION]
    if not pressed:
        return None
    user, container = as_dict(payload.get("user")), as_dict(payload.get("container"))
    user_id = _line(user.get("id"), 100)
    if not user_id:
        raise UnreadablePayload("nobody is named as having pressed the button")
    return SlackAction(
        page_id=_page_id(pressed[0].get("value")),
        user_id=user_id,
        user_name=_line(user.get("username"), 200) or _line(user.get("name"), 200),
        response_url=_line(payload.get("response_url"), 2000),
        channel=_line(as_dict(payload.get("channel")).get("id"), 100) or _line(container.get("channel_id"), 100),
        message_ts=_line(container.get("message_ts"), 100) or _line(as_dict(payload.get("message")).get("ts"), 100),
        team=_line(as_dict(payload.get("team")).get("id"), 100),
        user_team=_line(user.get("team_id"), 100),
    )


def _page_id(value: Any) -> int:
    text = _text(value, 20)
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= LARGEST_ID:
        raise UnreadablePayload("the button carries no page id")
    return int(text)


def _text(value: Any, limit: int) -> str:
    return storable(value, limit) if isinstance(value, str) else ""


def _line(value: Any, limit: int) -> str:
    return one_line(value, limit) if isinstance(value, str) else ""


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value, 40))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadablePayload("occurred_at is not a time") from error
