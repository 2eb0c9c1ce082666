import socket
from collections.abc import Iterator

import pytest

from helpdesk.embedded.ports import choose_port
from helpdesk.embedded.processes import EmbeddedServerError


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_default_is_taken_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said: list[str] = []
    assert choose_port("PORT", port, taken=set(), say=said.append) == port
    assert said == []


def test_a_taken_default_gives_the_next_free_port_and_says_who_has_it(
    busy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PORT", raising=False)
    said: list[str] = []
    port = choose_port("PORT", busy, taken={busy + 1}, say=said.append)
    assert port > busy + 1
    assert said[0].startswith(f"Port {busy} is in use (by ")
    assert said[0].endswith(f"), using {port}")


def test_a_port_asked_for_by_name_is_that_port_or_an_error(busy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PORT", str(busy))
    with pytest.raises(EmbeddedServerError, match=rf"Port {busy} is in use.*SMTP_PORT={busy + 1}"):
        choose_port("SMTP_PORT", 2525, taken=set(), say=pytest.fail)


@pytest.mark.parametrize("text", ["http", "-1", "0", "65536", "99999999999999999999", "80.0", "٣"])
def test_what_is_no_port_is_refused_in_words(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(EmbeddedServerError, match=f"PORT={text} is not a port"):
        choose_port("PORT", 8000, taken=set(), say=pytest.fail)
