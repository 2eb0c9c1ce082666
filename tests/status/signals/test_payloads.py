"""What monitoring systems send, as they send it, and whatever else may come to the same address."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from status.signals import payloads
from status.signals.payloads import Alert, Unreadable, read

FORM = "application/x-www-form-urlencoded"


def _one(kind: str, body: Any, content_type: str = "application/json") -> Alert:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    (alert,) = read(kind, raw, content_type)
    return alert


def _prometheus(status: str = "firing", **labels: str) -> dict[str, Any]:
    """As Alertmanager documents it (webhook version 4)."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="InstanceDown"}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "helpdesk",
        "groupLabels": {"alertname": "InstanceDown"},
        "commonLabels": {"alertname": "InstanceDown"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": "InstanceDown", "instance": "web14.example:9100", **labels},
                "annotations": {"summary": "web14 is down", "description": "No answer for 2 minutes."},
                "startsAt": "2026-01-12T08:00:00.000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus:9090/graph",
                "fingerprint": "c9a1f1c3b1e5d0a2",
            }
        ],
    }


def test_alertmanager() -> None:
    alert = _one("alertmanager", _prometheus(severity="critical"))
    assert alert == Alert(
        fingerprint="c9a1f1c3b1e5d0a2",
        title="web14 is down",
        is_firing=True,
        state="major_outage",
        text="No answer for 2 minutes.",
        hosts=("web14.example:9100",),
    )
    assert not _one("alertmanager", _prometheus("resolved")).is_firing
    assert _one("alertmanager", _prometheus(severity="warning")).state == "degraded_performance"
    assert _one("alertmanager", _prometheus()).state == "partial_outage"
    assert _one("alertmanager", _prometheus(component="Mail, Web 14")).components == ("Mail", "Web 14")
    assert read("alertmanager", json.dumps(_prometheus(severity="none")).encode()) == []  # the Watchdog


def test_without_a_fingerprint_the_labels_are_one() -> None:
    body = _prometheus()
    del body["alerts"][0]["fingerprint"]
    over = _prometheus("resolved")
    del over["alerts"][0]["fingerprint"]
    assert _one("alertmanager", body).fingerprint == _one("alertmanager", over).fingerprint != ""


def test_grafana_now_and_before_eleven() -> None:
    body = _prometheus(severity="critical") | {"title": "[FIRING:1]", "state": "alerting", "orgId": 1}
    assert _one("grafana", body).state == "major_outage"
    legacy = {
        "dashboardId": 1,
        "evalMatches": [{"value": 100, "metric": "web14.example", "tags": {}}],
        "message": "Too slow",
        "ruleId": 7,
        "ruleName": "Response time",
        "ruleUrl": "http://grafana/d/1",
        "state": "alerting",
        "tags": {"severity": "warning"},
        "title": "[Alerting] Response time",
    }
    alert = _one("grafana", legacy)
    assert (alert.fingerprint, alert.title, alert.is_firing) == ("7", "Response time", True)
    assert (alert.state, alert.hosts) == ("degraded_performance", ("web14.example",))
    assert not _one("grafana", legacy | {"state": "ok"}).is_firing
    assert read("grafana", json.dumps(legacy | {"state": "no_data"}).encode()) == []


@pytest.mark.parametrize("form", ["NAGIOS_{}", "{}", "${}$"])
def test_nagios_as_a_form_however_its_macros_are_written(form: str) -> None:
    said = {
        "NOTIFICATIONTYPE": "PROBLEM",
        "HOSTNAME": "web14",
        "HOSTADDRESS": "192.0.2.14",
        "SERVICEDESC": "HTTP",
        "SERVICESTATE": "CRITICAL",
        "SERVICEOUTPUT": "connect refused",
    }
    raw = urlencode({form.format(key): value for key, value in said.items()}).encode()
    alert = _one("nagios", raw, f"{FORM}; charset=utf-8")
    assert (alert.title, alert.state, alert.text) == ("HTTP on web14 is CRITICAL", "major_outage", "connect refused")
    assert alert.hosts == ("web14", "192.0.2.14")
    over = {key.lower(): value for key, value in said.items()} | {
        "notificationtype": "RECOVERY",
        "servicestate": "OK",
    }
    recovered = _one("nagios", over)
    assert (recovered.fingerprint, recovered.is_firing) == (alert.fingerprint, False)


def test_nagios_hosts_and_what_is_no_trouble() -> None:
    host = {"host_name": "web14", "host_state": "DOWN", "type": "PROBLEM"}
    assert (_one("nagios", host).title, _one("nagios", host).state) == ("web14 is DOWN", "major_outage")
    for kind in ("ACKNOWLEDGEMENT", "FLAPPINGSTART", "DOWNTIMESTART", "CUSTOM"):
        assert read("nagios", json.dumps(host | {"type": kind}).encode()) == []


@pytest.mark.parametrize(
    ("body", "is_firing", "state"),
    [
        ({"status": "firing", "title": "Mail is slow", "severity": "warning"}, True, "degraded_performance"),
        ({"status": "resolved", "title": "Mail is slow"}, False, "partial_outage"),
        ({"state": "down", "host": "web14"}, True, "major_outage"),
        ({"state": "UP", "host": "web14"}, False, "partial_outage"),
        ({"status": "partial_outage", "component": "Mail"}, True, "partial_outage"),
        ({"status": "operational", "component": "Mail"}, False, "partial_outage"),
        ({"heartbeat": {"status": 0, "msg": "timeout"}, "monitor": {"name": "web14"}}, True, "major_outage"),
        ({"heartbeat": {"status": 1, "msg": "200"}, "monitor": {"name": "web14"}}, False, "major_outage"),
    ],
)
def test_generic(body: dict[str, Any], is_firing: bool, state: str) -> None:
    for sent in (body, [body], {"alerts": [body]}):
        alert = _one("generic", sent)
        assert (alert.is_firing, alert.state) == (is_firing, state)


def test_the_end_is_of_the_same_thing_in_other_words() -> None:
    down = _one("generic", {"status": "down", "host": "web14", "message": "no answer"})
    up = _one("generic", {"status": "up", "host": "web14", "message": "answers again"})
    assert down.fingerprint == up.fingerprint


@pytest.mark.parametrize("kind", ["alertmanager", "grafana", "nagios", "generic"])
@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"null", b"[[]]", b"[" * 100_000, b'"x"', b'{"alerts": [1]}', b"\xff\xfe", b"9" * 5000, b"{}"],
    ids=range(10),
)
def test_nonsense_is_refused_with_a_reason(kind: str, raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(kind, raw)


def test_too_much_is_refused() -> None:
    with pytest.raises(Unreadable, match="too large"):
        read("generic", b" " * (payloads.LARGEST + 1))
    with pytest.raises(Unreadable, match="500"):
        read("generic", json.dumps([{"status": "down", "host": str(n)} for n in range(501)]).encode())
    with pytest.raises(Unreadable, match="too many fields"):
        read("nagios", b"&".join(b"a=b" for _ in range(300)), FORM)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "alerts",
                    "labels",
                    "annotations",
                    "status",
                    "state",
                    "severity",
                    "host",
                    "title",
                    "heartbeat",
                    "monitor",
                ]
            )
            | st.text(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@pytest.mark.parametrize("kind", ["alertmanager", "grafana", "nagios", "generic"])
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(body=_json)
def test_whatever_comes_is_read_or_refused(kind: str, body: Any) -> None:
    try:
        alerts = read(kind, json.dumps(body).encode())
    except Unreadable:
        return
    for alert in alerts:
        assert 0 < len(alert.fingerprint) <= 200 and len(alert.title) <= 200 and len(alert.text) <= 2000
        assert "\x00" not in alert.title + alert.text + alert.fingerprint
        (alert.title + alert.text + alert.fingerprint + "".join(alert.hosts)).encode()
        assert alert.state in ("major_outage", "partial_outage", "degraded_performance")
