"""Conformance with the providers' own signature vectors, and closed doors for everything else."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.events.signatures import pagerduty_v3, slack_v0

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "integrations" / "vectors"
NOW = datetime(2026, 1, 9, 18, 45, tzinfo=UTC)


def vectors(name: str) -> dict[str, Any]:
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"the shared test data is not here: {path.name}")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def hex_hmac(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_pagerduty_vectors() -> None:
    given_vectors = vectors("pagerduty_v3.json")
    raw = given_vectors["body"].encode()
    answers = [pagerduty_v3(given_vectors["secret"], raw, case["header"]) for case in given_vectors["vectors"]]
    assert answers == [case["valid"] for case in given_vectors["vectors"]]
    assert True in answers and False in answers


def test_slack_vectors() -> None:
    cases = vectors("slack.json")["vectors"]
    answers = [
        slack_v0(
            case["signing_secret"],
            case["body"].encode(),
            case["timestamp"],
            case["signature"],
            datetime.fromtimestamp(case["now"], UTC),
        )
        for case in cases
    ]
    assert answers == [case["valid"] for case in cases]
    assert True in answers and False in answers


def test_pagerduty_accepts_any_v1_of_a_rotation_and_ignores_other_versions() -> None:
    good = hex_hmac("new", b"{}")
    assert pagerduty_v3("new", b"{}", f"v1={hex_hmac('old', b'{}')} , v1={good}")
    assert pagerduty_v3("new", b"{}", f"v2=zzz,v1={good}")
    assert not pagerduty_v3("new", b"{}", f"v2={good}")
    assert not pagerduty_v3("new", b"{}", good)
    assert not pagerduty_v3("new", b"{} ", f"v1={good}")


@pytest.mark.parametrize(("secret", "raw"), [("", b"{}"), ("s", b""), ("", b"")])
def test_pagerduty_is_closed_when_something_is_missing(secret: str, raw: bytes) -> None:
    # Not even the signature that an empty secret or body would produce opens it.
    assert not pagerduty_v3(secret, raw, "v1=" + hex_hmac(secret, raw))
    assert not pagerduty_v3("s", b"{}", None)
    assert not pagerduty_v3("s", b"{}", "")


def test_slack_is_closed_without_secret_and_outside_five_minutes() -> None:
    def signed(secret: str, at: datetime) -> bool:
        timestamp = str(int(at.timestamp()))
        signature = "v0=" + hex_hmac(secret, b"v0:" + timestamp.encode() + b":a=b")
        return slack_v0(secret, b"a=b", timestamp, signature, NOW)

    assert signed("s", NOW)
    assert signed("s", NOW - timedelta(seconds=300))
    assert signed("s", NOW + timedelta(seconds=300))
    assert not signed("s", NOW - timedelta(seconds=301))
    assert not signed("s", NOW + timedelta(seconds=301))
    assert not signed("", NOW)


@pytest.mark.parametrize("timestamp", ["", "-1", "1e9", "١٧٦٧٩٨", "9" * 5000, " 1767984300", "0x10"])
def test_slack_refuses_odd_timestamps(timestamp: str) -> None:
    signature = "v0=" + hex_hmac("s", b"v0:" + timestamp.encode() + b":a")
    assert not slack_v0("s", b"a", timestamp, signature, NOW)


@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=300)), st.one_of(st.none(), st.text(max_size=20)))
def test_nothing_raises_and_nothing_guessed_passes(raw: bytes, header: str | None, timestamp: str | None) -> None:
    assert not pagerduty_v3("secret", raw, header)
    assert not slack_v0("secret", raw, timestamp, header, NOW)
