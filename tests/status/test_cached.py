"""The layer before Django: what is kept, how it is sent, how soon it is new, and what happens without PostgreSQL."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from django.core import signing
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now

from helpdesk.customers import sessions
from status import answers, incidents, keeping, snapshot
from status.cached import StatusFirst
from status.incidents import Opening, Words
from status.keeping import Keeper
from status.models import Incident, StatusPage
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db(transaction=True)

GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}


async def _others(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"the others"})


class Layer:
    """The layer without a server, over others that only say so."""

    def __init__(self, folder: Path) -> None:
        self.keeper = Keeper(folder, now)
        self.application = StatusFirst(_others, self.keeper)

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET", times: int = 1
    ) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=cast(Any, self.application))
            async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
                return (await asyncio.gather(*(client.request(method, path, headers=headers) for _ in range(times))))[0]

        return asyncio.run(asked())


@pytest.fixture
def layer(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layer]:
    # Its threads' connections end with each answer: the next test empties the tables.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    made = Layer(tmp_path)
    yield made
    made.keeper.stop()
    made.application.close()


def _open(company: Company, at: datetime, name: str = "Disks gone") -> Incident:
    web = component(f"web of {name}", at)
    words = Words("investigating", "We look.", {web.pk: "major_outage"})
    return incidents.open_incident(Opening(name, words), company.ada, at=at)


def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise DatabaseError("there is none")

    monkeypatch.setattr(keeping._VERSION, "row", refuse)
    for one in (*(part.value for part in snapshot.Part), snapshot._ONE, snapshot._OLDER):
        monkeypatch.setattr(one, "row", refuse)


def test_packed_or_not_as_the_client_wants(layer: Layer) -> None:
    plain, packed = layer.ask("/status/", PLAIN), layer.ask("/status/", GZIP)
    assert plain.status_code == packed.status_code == 200
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content
    assert plain.headers["etag"] != packed.headers["etag"]
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) == len(plain.content)
    assert {"Accept-Encoding", "Accept-Language", "Cookie"} == set(plain.headers["vary"].split(", "))
    assert "content-encoding" not in layer.ask("/status/", {"Accept-Encoding": "gzip;q=0"}).headers


def test_who_has_it_already_gets_304(layer: Layer) -> None:
    for headers in (PLAIN, GZIP):
        tag = layer.ask("/status/api/v2/summary.json", headers).headers["etag"]
        for known in (tag, f'W/{tag}, "other"', "*"):
            again = layer.ask("/status/api/v2/summary.json", {**headers, "If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert layer.ask("/status/api/v2/summary.json", {**headers, "If-None-Match": '"other"'}).status_code == 200


def test_head_and_options(layer: Layer) -> None:
    whole, head = layer.ask("/status/", PLAIN), layer.ask("/status/", PLAIN, "HEAD")
    assert head.content == b"" and head.headers["content-length"] == whole.headers["content-length"]
    asked = layer.ask("/status/api/v2/summary.json", method="OPTIONS")
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")
    assert layer.ask("/api/v2/summary.json").headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path", ["/", "/status/mine/", "/status/subscribe/", "/desk/", "/status/incidents/zzzzzzzzzzzz/"]
)
def test_what_it_does_not_know_goes_on_to_the_others(layer: Layer, path: str) -> None:
    assert layer.ask(path).status_code == 418
    assert layer.ask("/status/", method="POST").status_code == 418


def test_each_reader_has_their_language(layer: Layer) -> None:
    assert layer.ask("/status/", {"Accept-Language": "pt-BR,fr;q=0.8"}).headers["content-language"] == "pt"
    assert layer.ask("/status/", {"Accept-Language": "xx"}).headers["content-language"] == "en"
    assert layer.ask("/status/de/", {"Accept-Language": "fr"}).headers["content-language"] == "de"


def test_whoever_is_signed_in_is_answered_by_django(layer: Layer) -> None:
    cookie = f"{sessions.COOKIE}={signing.dumps(1, salt='x')}"
    for own in ("", "de/", "history/", "maintenance/", "incidents/abcdefghijkl/"):
        assert layer.ask(f"/status/{own}", {"Cookie": cookie}).status_code == 418, own
    for same in ("banner/", "badge.svg", "history.atom", "api/v2/summary.json"):
        assert layer.ask(f"/status/{same}", {"Cookie": cookie}).status_code == 200, same
    assert layer.ask("/status/", {"Cookie": "theme=dark"}).status_code == 200


def test_who_changes_something_sees_it_with_the_next_request(layer: Layer, company: Company, at: datetime) -> None:
    assert "Disks gone" not in layer.ask("/status/").text
    one = _open(company, at)
    assert "Disks gone" in layer.ask("/status/api/v2/incidents/unresolved.json").text
    assert "Disks gone" in layer.ask("/status/").text
    incidents.add_update(one, Words("resolved", "Done."), company.ada, at=at)
    assert "Disks gone" not in layer.ask("/status/api/v2/incidents/unresolved.json").text


def test_what_another_process_changes_is_seen_without_being_told(layer: Layer, at: datetime) -> None:
    layer.ask("/status/")
    with transaction.atomic():
        component("made elsewhere", at)
        StatusPage.objects.update_or_create(pk=1, defaults={"changed_at": at, "version": 999})
    before = layer.keeper.generation
    assert before is not None
    deadline = threading.Event()
    for _look in range(100):
        if layer.keeper.generation is not before:
            break
        deadline.wait(0.05)
    assert "made elsewhere" in layer.ask("/status/").text


def test_many_who_wait_for_the_same_wait_for_one(
    layer: Layer, company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    plain = answers.make

    def counted(asked: answers.Asked, language: str, *rest: Any, **named: Any) -> answers.Made | None:
        made.append(asked.path)
        return plain(asked, language, *rest, **named)

    monkeypatch.setattr(answers, "make", counted)
    layer.ask("/status/", times=30)
    assert made == [""]
    layer.ask("/status/", times=30)
    assert made == [""]


def test_without_postgresql_it_is_shown_on_and_a_new_process_shows_it_too(
    layer: Layer, company: Company, at: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _open(company, at)
    assert "Disks gone" in layer.ask("/status/").text
    _no_database(monkeypatch)

    assert "Disks gone" in layer.ask("/status/").text
    assert "Disks gone" in layer.ask("/status/fr/").text

    fresh = Layer(tmp_path)
    try:
        for path in ("/status/", "/status/history.atom", "/status/api/v2/summary.json", "/status/de/"):
            assert "Disks gone" in fresh.ask(path).text, path
        assert fresh.ask(f"/status/incidents/{one.public_id}/").status_code == 200
        assert fresh.ask("/status/incidents/zzzzzzzzzzzz/").status_code == 503
    finally:
        fresh.keeper.stop()
        fresh.application.close()


@pytest.mark.parametrize("kept", [None, "", "nonsense", "2026-01-12T08:00:00+00:00\n{}"])
def test_with_nothing_at_all_it_says_so_and_later_recovers(
    layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str | None
) -> None:
    if kept is not None:
        (tmp_path / "snapshot.json").write_text(kept)
    with monkeypatch.context() as patch:
        _no_database(patch)
        answer = layer.ask("/status/")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert layer.ask("/status/").status_code == 200


def test_old_pages_make_room(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_KEPT", 3)
    for path in ("", "history/", "maintenance/", "banner/", "history.atom", "history.rss"):
        assert layer.ask(f"/status/{path}").status_code == 200
    generation = layer.keeper.generation
    assert generation is not None and len(generation.answers) == 3


def test_the_django_view_gives_the_same(layer: Layer, company: Company, client: Any) -> None:
    for path in ("/status/api/v2/summary.json", "/status/maintenance.ics"):
        django = client.get(path)
        kept = layer.ask(path, PLAIN)
        assert django.content == kept.content
        assert {django["Content-Type"], django["Cache-Control"]} == {
            kept.headers["content-type"], kept.headers["cache-control"],
        }  # fmt: skip
