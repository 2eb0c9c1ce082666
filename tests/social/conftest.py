from collections.abc import Iterator
from datetime import datetime

import pytest

from social import accounts
from social.models import Account
from tests.fixtures.company import Company
from tests.fixtures.providers.mastodon import TOKEN, MastodonServer
from tests.fixtures.providers.telegram import TOKEN as BOT_TOKEN
from tests.fixtures.providers.telegram import TelegramServer


@pytest.fixture
def mastodon() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        yield server


@pytest.fixture
def account(mastodon: MastodonServer, company: Company, at: datetime) -> Account:
    """An account on that instance, connected on the settings page."""
    accounts.forget_connections()
    return Account.objects.create(
        network=Account.Network.MASTODON,
        name="Demo on Mastodon",
        handle="demo@fosstodon.example",
        external_id="1",
        base_url=mastodon.url,
        secrets=accounts.close({"access_token": TOKEN}),
        state=Account.State.CONNECTED,
        poll_at=at,
        created_at=at,
    )


@pytest.fixture
def telegram(settings: object) -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        settings.SOCIAL_BASE_URLS = {"telegram": server.url}  # type: ignore[attr-defined]
        yield server


@pytest.fixture
def bot(telegram: TelegramServer, company: Company, at: datetime) -> Account:
    """A bot that reads its updates there."""
    accounts.forget_connections()
    return Account.objects.create(
        network=Account.Network.TELEGRAM,
        name="Demo bot",
        handle="demo_bot",
        secrets=accounts.close({"bot_token": BOT_TOKEN, "webhook_secret": "hush"}),
        state=Account.State.CONNECTED,
        created_at=at,
    )
