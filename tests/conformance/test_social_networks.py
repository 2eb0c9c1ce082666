"""Bluesky's facets, Discourse's signature and posts, Mastodon's recorded answers: every item is understood."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from social.happenings import Said, from_json, to_json
from social.html_text import plain
from social.network import Connection
from social.networks.bluesky_texts import facets
from social.networks.discourse import SIGNATURE_HEADER, Discourse
from social.networks.mastodon import read_notifications

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "integrations"
AT = datetime(2026, 1, 12, 8, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data is not at ../shared/data/integrations")


def test_blueskys_facets_stand_at_the_same_bytes() -> None:
    cases = json.loads((DATA / "bluesky/richtext/facet_detection.json").read_text())["cases"]
    assert len(cases) >= 30
    for case in cases:
        found = facets(case["text"], lambda handle: f"did:fake:{handle}")
        wanted = [(one["byteStart"], one["byteEnd"], one["target"]) for one in case["facets"]]
        got = [
            (one["index"]["byteStart"], one["index"]["byteEnd"], next(iter(list(one["features"][0].values())[1:])))
            for one in found
        ]
        assert got == wanted, case["text"]


def test_discourses_signature() -> None:
    vector = json.loads((DATA / "vectors/discourse.json").read_text())
    ours = Connection("discourse", "", "", "https://forum.example", {"webhook_secret": vector["secret"]})
    given, body = {SIGNATURE_HEADER: vector["header"]}, vector["body"].encode()
    assert Discourse().is_genuine(ours, body, given, at=AT)
    assert not Discourse().is_genuine(ours, body + b" ", given, at=AT)
    assert Discourse().read(body, {}, at=AT).ignored == ("a ping",)


def _posts(found: Any) -> Iterator[dict[str, Any]]:
    """Every post of a recorded answer, wherever it stands in it."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if {"id", "post_number", "topic_id", "username", "created_at"} <= one.keys():
                yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def test_discourses_recorded_posts_are_all_understood() -> None:
    count = 0
    for path in sorted((DATA / "discourse/api_fixtures").glob("*.json")):
        for post in _posts(json.loads(path.read_text())):
            batch = Discourse().read(json.dumps({"post": post}).encode(), {}, at=AT)
            assert batch.unread == (), path.name
            assert len(batch.happenings) + len(batch.ignored) >= 1, path.name
            count += 1
    assert count >= 10


def _recorded() -> Iterator[Any]:
    """Mastodon's answers: its documentation's examples, and what Mastodon.py recorded."""
    for path in sorted((DATA / "mastodon/doc_examples").glob("*.json")):
        yield json.loads(path.read_text())
    for path in sorted((DATA / "mastodon/vcr_cassettes").glob("*notification*.yaml")):
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for one in yaml.load(path.read_text(), loader)["interactions"]:
            words = one["response"]["body"].get("string") or "null"
            try:
                yield json.loads(words)
            except ValueError:
                continue


def test_mastodons_recorded_answers_are_all_understood() -> None:
    mentions = statuses = 0
    for answer in _recorded():
        found = answer if isinstance(answer, list) else [answer]
        notifications = [one for one in found if isinstance(one, dict) and {"type", "created_at"} <= one.keys()]
        batch = read_notifications(notifications)
        assert len(batch.happenings) + len(batch.ignored) + len(batch.unread) == len(notifications)
        assert batch.unread == ()
        mentions += len(batch.happenings)
        named = {"content", "visibility", "account"}
        for status in [one for one in found if isinstance(one, dict) and named <= one.keys()]:
            _account, said = read_notifications([{"type": "mention", "status": status}]).happenings[0]
            assert isinstance(said, Said)
            assert from_json(json.loads(json.dumps(to_json(said)))) == said
            assert "<p>" not in plain(status["content"])
            statuses += 1
    assert mentions >= 1
    assert statuses >= 10
