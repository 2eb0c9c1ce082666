from collections.abc import Iterator
from datetime import datetime

import pytest

from social import accounts
from social.models import Account
from tests.fixtures.company import Company
from tests.fixtures.providers.mastodon import TOKEN, MastodonServer


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
