"""What monitoring systems send, reduced to alerts. Pure: no Django.

Read are Prometheus Alertmanager's webhook (version 4, https://prometheus.io/docs/alerting/latest/configuration/
#webhook_config), Grafana's (unified alerting, which sends Alertmanager's shape, and the legacy one before 11), macros
of Nagios and Icinga as a form or as JSON, and a generic shape that others can send, Uptime Kuma's among them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

LARGEST: Final = 1024 * 1024
MOST_ALERTS: Final = 500
MOST_FIELDS: Final = 200
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 2000

MAJOR, PARTIAL, DEGRADED = "major_outage", "partial_outage", "degraded_performance"
# How bad it is in the words of those who watch; what is none of these is bad, but not the worst.
_SEVERITIES: Final = {
    **dict.fromkeys(("critical", "crit", "page", "error", "fatal", "disaster", "high", "down", "p1", "p2"), MAJOR),
    MAJOR: MAJOR,
    **dict.fromkeys(("warning", "warn", "minor", "average", "medium", "unknown", "degraded", "p3", DEGRADED), DEGRADED),
    **dict.fromkeys(("info", "information", "informational", "none", "debug", "low", "p4", "p5"), ""),
}
_OVER: Final = frozenset(
    ("resolved", "ok", "up", "recovered", "recovery", "closed", "normal", "healthy", "operational", "green", "success")
)
# Neither trouble nor its end.
_NOTHING: Final = frozenset(
    ("pending", "no_data", "nodata", "paused", "acknowledged", "maintenance", "under_maintenance", "unknown_state", "")
)
_HOSTS: Final = ("instance", "host", "hostname", "node", "nodename", "server", "target", "domain", "url")


class Unreadable(ValueError):
    """This is not what such a source sends; the argument says why."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong, or is not any more. `components` are named outright; `hosts` and `title` may name
    services. `state` is what it says of a component.
    """

    fingerprint: str
    title: str
    is_firing: bool
    state: str = PARTIAL
    text: str = ""
    components: Sequence[str] = field(default_factory=tuple)
    hosts: Sequence[str] = field(default_factory=tuple)


def read(kind: str, raw: bytes, content_type: str = "") -> list[Alert]:
    """The alerts of one call, at most MOST_ALERTS, the newest word on each thing. Raises Unreadable."""
    if len(raw) > LARGEST:
        raise Unreadable("the body is too large")
    body = _form(raw) if content_type.partition(";")[0].strip().lower() == _FORM else _json(raw)
    found = list(_READERS[kind](body))
    if len(found) > MOST_ALERTS:
        raise Unreadable(f"more than {MOST_ALERTS} alerts at once")
    return list({alert.fingerprint: alert for alert in found}.values())


_FORM: Final = "application/x-www-form-urlencoded"


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error


def _form(raw: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS, keep_blank_values=True))
    except ValueError as error:
        raise Unreadable("too many fields") from error


def _text(value: Any, most: int = LONGEST_TITLE) -> str:
    """A text that may be stored, on one line where it is short; "" for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    clean = str(value)[: most * 4].encode("utf-8", "replace").decode().replace("\x00", "")
    return (" ".join(clean.split()) if most <= LONGEST_TITLE else clean.strip())[:most]


def _texts(value: Any) -> dict[str, str]:
    """The texts of an object, MOST_FIELDS at most, keys in lower case."""
    if not isinstance(value, Mapping):
        return {}
    return {_text(key).lower(): _text(one, LONGEST_TEXT) for key, one in list(value.items())[:MOST_FIELDS]}


def _first(found: Mapping[str, str], *names: str) -> str:
    return next((found[name] for name in names if found.get(name)), "")


def _listed(value: Any) -> tuple[str, ...]:
    """Names as a list, or as a text with commas."""
    values = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str) else ()
    return tuple(filter(None, (_text(one) for one in list(values)[:50])))


def _key(*parts: str) -> str:
    """A fingerprint of what has none."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:40]


def _severity(word: str) -> str:
    """What it means for a component; "" for what nobody outside needs to know."""
    return _SEVERITIES.get(word.lower(), PARTIAL)


def _alertmanager(body: Any) -> Iterator[Alert]:
    alerts = body.get("alerts") if isinstance(body, Mapping) else None
    if not isinstance(alerts, list):
        raise Unreadable("no list of alerts")
    for one in alerts:
        if not isinstance(one, Mapping):
            raise Unreadable("an alert is no object")
        labels, notes = _texts(one.get("labels")), _texts(one.get("annotations"))
        state = _severity(labels["severity"]) if "severity" in labels else PARTIAL
        if not state:
            continue
        name = labels.get("alertname", "")
        given = _text(one.get("fingerprint"))
        yield Alert(
            fingerprint=given or _key(*(f"{key}={value}" for key, value in sorted(labels.items()))),
            title=_text(_first(notes, "summary", "title") or name or "An alert"),
            is_firing=_text(one.get("status")).lower() != "resolved",
            state=state,
            text=_first(notes, "description", "message"),
            components=_listed(labels.get("component") or notes.get("component") or ""),
            hosts=_hosts(labels),
        )


def _hosts(found: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(filter(None, (_text(found.get(name, "")) for name in _HOSTS)))


def _grafana(body: Any) -> Iterable[Alert]:
    if isinstance(body, Mapping) and isinstance(body.get("alerts"), list):
        return _alertmanager(body)
    return _legacy_grafana(body)


def _legacy_grafana(body: Any) -> Iterator[Alert]:
    if not isinstance(body, Mapping) or not isinstance(body.get("state"), str):
        raise Unreadable("neither alerts nor a state")
    state = body["state"].lower()
    if state in _NOTHING:
        return
    tags = _texts(body.get("tags"))
    severity = _severity(tags["severity"]) if "severity" in tags else PARTIAL
    if not severity:
        return
    matches = body.get("evalMatches")
    metrics = [_texts(one) for one in matches[:50]] if isinstance(matches, list) else []
    yield Alert(
        fingerprint=_text(body.get("ruleId")) or _key(_text(body.get("ruleName"))),
        title=_text(body.get("ruleName")) or _text(body.get("title")) or "An alert",
        is_firing=state not in _OVER,
        state=severity,
        text=_text(body.get("message"), LONGEST_TEXT),
        components=_listed(tags.get("component", "")),
        hosts=(*_hosts(tags), *filter(None, (_text(one.get("metric", "")) for one in metrics))),
    )


def _nagios(body: Any) -> Iterator[Alert]:
    if not isinstance(body, Mapping):
        raise Unreadable("no fields")
    found = {_macro(key): value for key, value in _texts(body).items()}
    host = _text(_first(found, "hostname", "host", "hostalias"))
    service = _text(_first(found, "servicedesc", "service", "servicedisplayname", "servicename"))
    state = _first(found, "servicestate", "state") if service else _first(found, "hoststate", "state")
    if not host or not state:
        raise Unreadable("no host or no state")
    kind = _first(found, "notificationtype", "type").upper()
    if kind not in ("", "PROBLEM", "RECOVERY"):
        return  # acknowledged, flapping, downtime: neither trouble nor its end
    is_over = state.upper() in ("OK", "UP")
    if state.upper() == "PENDING":
        return
    yield Alert(
        fingerprint=_key("nagios", host.lower(), service.lower()),
        title=_text(f"{service} on {host} is {state}" if service else f"{host} is {state}"),
        is_firing=not is_over,
        state=_severity({"unreachable": "critical"}.get(state.lower(), state)) or PARTIAL,
        text=_first(found, "serviceoutput", "hostoutput", "output"),
        components=_listed(found.get("component", "")),
        hosts=(host, *filter(None, (_text(found.get("hostaddress", "")),))),
    )


def _macro(key: str) -> str:
    """`NAGIOS_HOSTNAME`, `$HOSTNAME$` and `host_name` are one."""
    return key.strip("$").removeprefix("nagios_").removeprefix("icinga_").replace("_", "").replace(".", "")


def _generic(body: Any) -> Iterator[Alert]:
    many = body.get("alerts") if isinstance(body, Mapping) and isinstance(body.get("alerts"), list) else body
    alerts = many if isinstance(many, list) else [many]
    for one in alerts:
        if not isinstance(one, Mapping):
            raise Unreadable("an alert is no object")
        alert = _kuma(one) if isinstance(one.get("heartbeat"), Mapping) else _one_generic(one)
        if alert is not None:
            yield alert


def _one_generic(one: Mapping[str, Any]) -> Alert | None:
    found = _texts(one)
    state = _first(found, "status", "state").lower().replace(" ", "_")
    title = _text(_first(found, "title", "summary", "name", "message", "text"))
    hosts = _hosts(found) + tuple(filter(None, (_text(found.get("service", "")),)))
    components = _listed(one.get("components") or one.get("component"))
    # Its words may be others when it is over; what it is about is not.
    about = (found.get("name", ""), *hosts, *components)
    key = _text(_first(found, "id", "key", "fingerprint")) or _key(*(about if any(about) else (title.lower(),)))
    if not (title or hosts or components):
        raise Unreadable("neither a title nor a host nor a component")
    if not state:
        raise Unreadable("no status")
    if state in _NOTHING:
        return None
    said = found.get("severity") or (state if state in _SEVERITIES or state == PARTIAL else "")
    severity = _severity(said) if said else PARTIAL
    if not severity and state not in _OVER:
        return None
    return Alert(
        fingerprint=key,
        title=title or _text(", ".join((*components, *hosts))),
        is_firing=state not in _OVER,
        state=severity or PARTIAL,
        text=_first(found, "text", "message", "description"),
        components=components,
        hosts=hosts,
    )


def _kuma(one: Mapping[str, Any]) -> Alert | None:
    """Uptime Kuma's webhook (https://github.com/louislam/uptime-kuma/wiki/Notification-Methods): status 0 is down, 1
    up, 2 pending, 3 maintenance.
    """
    beat, monitor = one["heartbeat"], _texts(one.get("monitor"))
    status = beat.get("status")
    if isinstance(status, bool) or status not in (0, 1):
        return None
    name = _text(monitor.get("name", "")) or "A monitor"
    return Alert(
        fingerprint=_key("kuma", monitor.get("id", ""), name),
        title=name,
        is_firing=status == 0,
        state=MAJOR,
        text=_text(beat.get("msg"), LONGEST_TEXT),
        hosts=tuple(filter(None, (_text(monitor.get("hostname", "")), _text(monitor.get("url", "")), name))),
    )


_READERS: Final = {"alertmanager": _alertmanager, "grafana": _grafana, "nagios": _nagios, "generic": _generic}
