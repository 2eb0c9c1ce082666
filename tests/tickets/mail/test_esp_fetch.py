"""What an ESP has for us is fetched within bounds of size and time."""

from collections.abc import Iterator

import pytest

from tests.fixtures.providers.base import ProviderServer, Received, Reply
from tickets.mail import esp_fetch


class Store(ProviderServer):
    """Has one mail."""

    def answer(self, request: Received) -> Reply:
        return Reply(200, b"From: a@b.example\n\nHello") if request.path == "/mail" else Reply(404)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as server:
        yield server


def test_a_mail_is_fetched_whole_or_is_gone(store: Store) -> None:
    assert esp_fetch.get(f"{store.url}/mail").content.endswith(b"Hello")
    with pytest.raises(esp_fetch.Gone):
        esp_fetch.get(f"{store.url}/other")


def test_what_is_too_large_or_too_slow_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as bounds:
        bounds.setattr(esp_fetch, "LARGEST", 3)
        with pytest.raises(esp_fetch.Gone, match="big"):
            esp_fetch.get(f"{store.url}/mail")
    monkeypatch.setattr(esp_fetch, "TOTAL_SECONDS", 0.0)
    with pytest.raises(esp_fetch.NotFetched, match="slowly"):
        esp_fetch.get(f"{store.url}/mail")
