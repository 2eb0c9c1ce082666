"""The Twilio account that an admin enters: used for all, its token never shown; the environment's goes before it."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from helpdesk.customers.models import AuditEntry
from helpdesk.oncall import twilio_account
from helpdesk.oncall.channels import pagers
from helpdesk.oncall.twilio_account import TwilioAccount
from phone import accounts, keeping
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.fixtures.phone import tell
from tests.fixtures.providers.twilio import FROM, TwilioServer

pytestmark = pytest.mark.django_db
WHERE = "/desk/settings/twilio/"


@pytest.fixture
def nowhere(twilio: TwilioServer, settings: Settings) -> Iterator[TwilioServer]:
    """Twilio is there, and the environment says nothing of it."""
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = settings.TWILIO_FROM = ""
    twilio_account.forget()
    yield twilio
    twilio_account.forget()


def _enter(admin: Client, twilio: TwilioServer, **more: str) -> int:
    given = {"account_sid": twilio.account, "token": twilio.token, "sender": "+49 30 123456"}
    return admin.post(WHERE, given | more).status_code


def test_an_account_is_entered_and_used(company: Company, nowhere: TwilioServer, at: datetime) -> None:
    admin = logged_in(company.ada)
    assert not accounts.is_connected() and "sms" not in pagers()
    assert tell(nowhere.ring(), at).status_code == 403, "nobody's signature is good"
    assert _enter(admin, nowhere, account_sid="AC1") == _enter(admin, nowhere, sender="030 123") == 422
    assert _enter(admin, nowhere, token="") == 422
    assert _enter(admin, nowhere) == 302
    assert accounts.health().detail == "it has not been tried yet"
    assert accounts.probe(at=now()).state == accounts.CONNECTED and accounts.sender() == FROM
    assert {"sms", "voice"} <= set(pagers())
    assert tell(nowhere.ring(), at).status_code == 200
    stored = TwilioAccount.objects.get()
    page = admin.get(WHERE).content.decode()
    assert nowhere.token not in stored.secret + page
    assert "Connected" in page
    assert "Kept." in page
    assert all(nowhere.token not in str(entry.after) for entry in AuditEntry.objects.all())

    # Another number with the same token; another account wants another token.
    assert _enter(admin, nowhere, token="", sender="MG" + "0" * 32) == 302
    assert accounts.can_text() and not accounts.can_call()
    assert _enter(admin, nowhere, token="", account_sid="AC" + "f" * 32) == 422
    assert _enter(admin, nowhere, account_sid="") == 302
    assert not TwilioAccount.objects.exists() and not accounts.is_connected()


def test_the_environments_account_goes_before_it(
    company: Company, nowhere: TwilioServer, settings: Settings, at: datetime
) -> None:
    twilio_account.keep("AC" + "e" * 32, "entered", "+49301")
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM = "AC1", "given", FROM
    assert twilio_account.credentials() == twilio_account.Credentials("AC1", "given", FROM)
    assert "that one is used" in logged_in(company.ada).get(WHERE).content.decode()


def test_what_was_known_holds_while_the_database_is_away(
    company: Company, nowhere: TwilioServer, monkeypatch: pytest.MonkeyPatch, at: datetime
) -> None:
    twilio_account.keep(nowhere.account, nowhere.token, FROM)
    assert twilio_account.credentials().token == nowhere.token

    def away(seconds: float, work: object) -> object:
        raise keeping.NotNow("the database is away")

    monkeypatch.setattr(keeping, "within", away)
    assert b"<Record" in tell(nowhere.ring(), at).content
    twilio_account.forget()
    assert tell(nowhere.ring(), at).status_code == 403


def test_a_token_of_another_key_is_no_token(company: Company, nowhere: TwilioServer, settings: Settings) -> None:
    twilio_account.keep(nowhere.account, nowhere.token, FROM)
    settings.SECRET_KEY = "another"
    twilio_account.forget()
    assert not accounts.is_connected()
    settings.SECRET_KEY_FALLBACKS = []
    assert twilio_account.credentials() == twilio_account.NOBODY
