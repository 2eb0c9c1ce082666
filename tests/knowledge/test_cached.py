"""The layer before Django: what is kept, how soon it is new, who goes past it, and what happens without PostgreSQL."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, cast

import httpx
import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from helpdesk.customers import sessions
from knowledge import articles, keeping, pages, seen
from knowledge.articles import Text
from knowledge.cached import HelpFirst
from knowledge.keeping import Keeper
from knowledge.models import KnowledgeBase
from tests.knowledge.conftest import Library

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/kb/en/zebra-publicword/"


async def _others(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"the others"})


class Layer:
    """The layer without a server, over others that only say so."""

    def __init__(self) -> None:
        self.keeper = Keeper()
        self.application = HelpFirst(_others, self.keeper)

    def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=cast(Any, self.application))
            async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(asked())


@pytest.fixture
def layer(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layer]:
    # Its threads' connections end with each answer: the next test empties the tables.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    made = Layer()
    yield made
    made.application.close()


def test_made_once_and_sent_as_the_client_wants(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = layer.ask(PAGE, {"Accept-Encoding": "identity"})
    monkeypatch.setattr(pages, "make", None)
    packed = layer.ask(PAGE, {"Accept-Encoding": "gzip"})
    assert plain.status_code == packed.status_code == 200 and plain.content == packed.content
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert layer.ask(PAGE, {"If-None-Match": packed.headers["etag"]}).status_code == 304
    assert layer.ask(PAGE, method="HEAD").content == b""
    assert packed.headers["content-language"] == "en" and "frame-ancestors" in packed.headers["content-security-policy"]


def test_what_is_not_the_same_for_everybody_goes_on(layer: Layer) -> None:
    past: tuple[tuple[str, dict[str, str], str], ...] = (
        (PAGE, {"Cookie": f"a=b; {sessions.COOKIE}=xyz"}, "GET"),
        (f"{PAGE}?voted=1", {}, "GET"),
        ("/kb/en/?q=zebra", {}, "GET"),
        (PAGE, {}, "POST"),
        ("/kb/en/zebra-acmeword/", {}, "GET"),
        ("/kb/en/zebra-internalword/", {}, "GET"),
        ("/kb/en/nothing/", {}, "GET"),
        ("/desk/kb/", {}, "GET"),
        ("/kb/1/", {}, "GET"),
    )
    assert {(path, layer.ask(path, headers, method).status_code) for path, headers, method in past} == {
        (path, 418) for path, _headers, _method in past
    }
    assert layer.ask(PAGE, {"Cookie": "sessionid=x"}).status_code == 200


def test_each_reader_has_their_language(layer: Layer) -> None:
    assert layer.ask("/", {"Accept-Language": "pt-BR,fr;q=0.8"}).headers["content-language"] == "pt"
    assert layer.ask("/", {"Accept-Language": "xx"}).headers["content-language"] == "en"
    assert layer.ask("/kb/de/", {"Accept-Language": "fr"}).headers["content-language"] == "de"


def test_changes_are_seen_at_once_here_and_soon_elsewhere(layer: Layer, library: Library) -> None:
    assert b"All of a zebra" in layer.ask(PAGE).content
    articles.write(library.public, Text("Zebra publicword", "Quite new."), author=None, at=timezone.now())
    assert b"Quite new." in layer.ask(PAGE).content
    articles.change(library.public, {"visibility": "draft"}, at=timezone.now())
    assert layer.ask(PAGE).status_code == 418 and layer.ask(PAGE).status_code == 418
    articles.change(library.public, {"visibility": "public"}, at=timezone.now())
    assert layer.ask(PAGE).status_code == 200
    # Another process: nobody tells us, the number does.
    library.public.translations.update(html="<p>From elsewhere.</p>")
    KnowledgeBase.objects.update(version=10_000)
    layer.keeper._looked_at = -1e9
    assert b"From elsewhere." in layer.ask(PAGE).content


def test_without_postgresql_it_is_shown_on(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise DatabaseError("there is none")

    before = layer.ask(PAGE).content
    monkeypatch.setattr(keeping._VERSION, "row", refuse)
    monkeypatch.setattr(pages, "make", refuse)
    layer.keeper._looked_at = -1e9
    assert layer.ask(PAGE).content == before
    layer.keeper._pages = {
        key: page.__class__(page.kept, 0.0, page.version, 0) for key, page in layer.keeper._pages.items()
    }
    assert layer.ask(PAGE).content == before
    assert layer.ask("/kb/en/").status_code == 418


def test_readers_are_counted_and_written_now_and_then(layer: Layer, library: Library) -> None:
    seen.write()
    for _time in range(4):
        layer.ask(PAGE)
    layer.keeper._looked_at = layer.keeper._wrote_at = -1e9
    layer.ask("/kb/en/")
    library.public.refresh_from_db()
    assert library.public.views == 4
