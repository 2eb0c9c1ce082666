"""The settings page of an account: what is done there besides saving."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from helpdesk.customers.models import AuditEntry
from social import accounts
from social.models import Account
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.social.talk import account_on

pytestmark = pytest.mark.django_db


def test_a_network_is_asked_while_no_transaction_waits(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, open_ones = account_on("mastodon", at), []

    def probe(asked: Account, **_: Any) -> dict[str, Any]:
        open_ones.append(list(connection.savepoint_ids))
        Account.objects.filter(pk=asked.pk).update(state_detail="seen")
        return {}

    monkeypatch.setattr(accounts, "probe", probe)
    address = reverse("tickets:settings_social_test", args=[account.pk])
    assert logged_in(company.ada).post(address).status_code == 302
    assert open_ones == [[]]
    assert AuditEntry.objects.filter(kind="account", action="tested").exists()
