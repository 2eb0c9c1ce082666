"""Conformance: X's signatures, and how long a text is on X (twitter-text, v3) and on Mastodon (a server's answers)."""

import json
from pathlib import Path

import pytest
import yaml

from social.counting import on_mastodon, on_x
from social.networks.x import signature

DATA = Path(__file__).resolve().parents[2] / "../shared/data/integrations"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared test data is not here")


def test_signatures() -> None:
    vectors = json.loads((DATA / "vectors/x_webhook.json").read_text())["vectors"]
    for vector in vectors:
        signed = vector.get("crc_token") or vector["body"]
        assert signature(vector["consumer_secret"], signed.encode()) == vector.get(
            "response_token", vector.get("header")
        )


def test_lengths() -> None:
    suite = yaml.safe_load((DATA / "twitter-text/conformance/validate.yml").read_text())["tests"]
    cases = suite["WeightedTweetsWithDiscountedEmojiCounterTest"]
    assert cases
    wrong = [case["description"] for case in cases if on_x(case["text"]) != case["expected"]["weightedLength"]]
    assert wrong == []


def test_lengths_on_mastodon() -> None:
    cases = json.loads((DATA / "mastodon/status_length.json").read_text())["cases"]
    assert cases
    assert [case["text"] for case in cases if on_mastodon(case["text"]) != case["length"]] == []
