"""Meta's signatures, and recorded payloads of WhatsApp and Messenger: every item is understood, none raises."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from social.happenings import Said, from_json, to_json
from social.network import Connection
from social.networks import meta
from social.networks.facebook import Facebook
from social.networks.whatsapp import WhatsApp

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "integrations"
AT = datetime(2026, 1, 12, 8, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data is not at ../shared/data/integrations")


def _connection(**secrets: str) -> Connection:
    return Connection("facebook", "1", "", "https://graph.example", secrets)


def test_signatures_and_handshake() -> None:
    found = json.loads((DATA / "vectors/meta_x_hub_signature_256.json").read_text())
    for vector in found["vectors"]:
        given, body = {meta.SIGNATURE_HEADER: vector["header"]}, vector["body"].encode()
        assert meta.is_genuine(_connection(app_secret=vector["app_secret"]), body, given) is vector["valid"]
        assert not meta.is_genuine(_connection(), body, given)
    handshake = found["challenge"]
    ours = _connection(verify_token=handshake["configured_token"])
    assert meta.challenge(ours, handshake["query"]) == handshake["response"]
    assert meta.challenge(_connection(), {**handshake["query"], "hub.verify_token": ""}) is None


def _updates() -> Iterator[tuple[str, Any]]:
    for path in sorted((DATA / "whatsapp/pywa_updates").glob("*.json")):
        for name, update in json.loads(path.read_text()).items():
            yield f"{path.stem}.{name}", update


def test_whatsapps_updates_are_all_understood() -> None:
    count = 0
    for name, update in _updates():
        batch = WhatsApp().read(json.dumps(update).encode(), {}, at=AT)
        assert batch.unread == (), name
        assert batch.happenings or batch.ignored, name
        for _account, happening in batch.happenings:
            assert from_json(json.loads(json.dumps(to_json(happening)))) == happening
        count += 1
    assert count > 40


def test_messengers_events_are_all_understood() -> None:
    found = sorted((DATA / "chatwoot_payloads/factories").glob("*.json"))
    assert found
    for path in found:
        if path.name.startswith("twitter"):
            continue
        payload = json.loads(path.read_text())
        entry = payload.get("entry") or [{"id": "117172741761305", "time": 1648581633369, **payload}]
        batch = Facebook().read(json.dumps({"object": "page", "entry": entry}).encode(), {}, at=AT)
        assert batch.unread == (), path.name
        assert batch.happenings or batch.ignored, path.name


def test_a_batch_keeps_every_item_beside_a_broken_one() -> None:
    message = {"from": "49151", "id": "wamid.1", "timestamp": "1697043223", "type": "text", "text": {"body": "one"}}
    values = [
        {"metadata": {"phone_number_id": "1"}, "messages": [message, {"id": 7}, {**message, "id": "wamid.2"}]},
        {"metadata": {"phone_number_id": "2"}, "messages": [{**message, "id": "wamid.3"}], "statuses": ["?"]},
    ]
    entries = [{"id": "w", "changes": [{"field": "messages", "value": value} for value in values]}] * 2
    batch = WhatsApp().read(json.dumps({"entry": entries}).encode(), {}, at=AT)
    assert len(batch.happenings) == 6
    assert len(batch.unread) == 4
    assert {account for account, _said in batch.happenings} == {"1", "2"}


def test_a_comment_an_answer_of_ours_and_what_was_hidden() -> None:
    value = {"item": "comment", "verb": "add", "post_id": "1_2", "comment_id": "2_3", "created_time": 1697043223}
    words = {"message": "My site is down, my mail is m@x.example", "from": {"id": "77", "name": "Maria"}}
    changes = [
        {"field": "feed", "value": {**value, **words}},
        {"field": "feed", "value": {**value, "comment_id": "2_4", "from": {"id": "1"}, "message": "We look."}},
        {"field": "feed", "value": {**value, "verb": "hide"}},
        {"field": "feed", "value": {**value, "item": "reaction"}},
    ]
    batch = Facebook().read(
        json.dumps({"object": "page", "entry": [{"id": "1", "changes": changes}]}).encode(), {}, at=AT
    )
    kinds = [type(one).__name__ for _account, one in batch.happenings]
    assert (kinds, batch.ignored) == (["Said", "Said", "Removed"], ("a reaction",))
    ours = [one.by_us for _account, one in batch.happenings if isinstance(one, Said)]
    assert ours == [False, True]


def test_nothing_hostile_raises() -> None:
    for body in (b"", b"null", b"[]", b'{"entry":1}', b'{"entry":[{"changes":[1]}]}', b"[" * 9000, b"\xff\xfe"):
        for way in (Facebook(), WhatsApp()):
            batch = way.read(body, {}, at=AT)
            assert not batch.happenings
            assert batch.unread
