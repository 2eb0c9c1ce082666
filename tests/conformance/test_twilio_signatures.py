"""Every signature vector of Twilio's own libraries."""

import json
from pathlib import Path
from typing import Any

import pytest

from helpdesk.events.signatures import twilio

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "integrations" / "vectors" / "twilio.json"


def _form(params: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, one) for name, given in params.items() for one in (given if isinstance(given, list) else [given])]


def test_all_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip("the vectors are not here: ../shared/data/integrations")
    given = json.loads(VECTORS.read_text())
    token = given["auth_token"]
    wrong = []
    for vector in given["vectors"]:
        form = None if vector["body"] is not None else _form(vector["params"])
        raw = (vector["body"] or "").encode()
        if twilio(token, vector["url"], form, raw, vector["signature"]) is not vector["valid"]:
            wrong.append(vector["name"])
        assert not twilio("", vector["url"], form, raw, vector["signature"]), "without a token nobody is believed"
        assert not twilio(token, vector["url"], form, raw, None)
        assert not twilio(token + "x", vector["url"], form, raw, vector["signature"])
    assert not wrong and len(given["vectors"]) >= 18


def test_nothing_raises() -> None:
    hostile = ["", "x", "http://[", "https://a:b@c:99999/?bodySHA256=1", "http://[::1]:80/é'", "https://\udcff/"]
    for url in hostile:
        for form in (None, [], [("a", "\udcff"), ("b", "ж")]):
            assert not twilio("token", url, form, b"\xff\x00", "sig\udcff")
