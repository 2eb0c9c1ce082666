"""The test of what is set up at Twilio: it says part by part what works, and what to do."""

from datetime import datetime

import pytest
from pytest_django import Settings

from helpdesk.events.phone_numbers import e164
from phone import checking
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.fixtures.phone import line, tell
from tests.fixtures.providers.telegram import TelegramServer
from tests.fixtures.providers.twilio import FROM, TwilioServer

pytestmark = pytest.mark.django_db


def found(at: datetime) -> dict[str, tuple[str, str]]:
    return {str(one.what): (one.state, str(one.detail)) for one in checking.check(at=at)}


def test_each_part_is_tried(company: Company, twilio: TwilioServer, settings: Settings, at: datetime) -> None:
    line(at)
    assert found(at)[f"Emergency, {FROM}"] == ("bad", "It is not among this account's numbers.")
    number = twilio.rent()
    number["sms_url"] = "https://demo.twilio.com/welcome"
    number["capabilities"]["voice"] = False
    told = found(at)
    assert "Enter http://127.0.0.1:8000/hooks/twilio/sms/" in told[f"Emergency, {FROM}"][1]
    assert told["Calls and texts come from"] == ("warn", f"{FROM} cannot do: voice")
    assert told["Our address for calls from outside"][0] == "bad", "nobody reaches this machine"
    assert told["Calls from there to us"][0] == "warn"
    number["sms_url"] = f"{twilio.public_url}/hooks/twilio/sms/"
    number["capabilities"]["voice"] = True
    tell(twilio.hang_up(), at)
    told = found(at)
    assert {told[what][0] for what in ("Account", "Calls and texts come from", f"Emergency, {FROM}")} == {"ok"}
    assert told["Calls from there to us"][0] == "ok"
    twilio.fail_next(503)
    assert found(at)["Account"][0] == "bad"
    settings.TWILIO_AUTH_TOKEN = "0" * 32
    assert "20003" in found(at)["Account"][1] and len(found(at)) == 1
    settings.TWILIO_FROM = ""
    settings.TWILIO_AUTH_TOKEN = twilio.token
    assert found(at)["Calls and texts come from"][0] == "bad"
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = ""
    assert found(at)["Account"][0] == "bad"


def test_the_page_is_the_admins(company: Company, twilio: TwilioServer, at: datetime) -> None:
    address = "/desk/settings/twilio/trying/"
    assert logged_in(company.grace).post(address).status_code == 403
    page = logged_in(company.ada).post(address)
    assert page.status_code == 200 and "Twilio takes our SID and token." in page.content.decode()
    assert logged_in(company.ada).get(address).status_code == 405


def test_the_code_for_telegram_leads_to_the_bot(company: Company, settings: Settings) -> None:
    address = "/desk/settings/reach/telegram/"
    with TelegramServer() as telegram:
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BASE_URL = telegram.token, telegram.url
        assert "https://t.me/demo_bot?start=agent_" in logged_in(company.grace).post(address).content.decode()
        settings.TELEGRAM_BOT_TOKEN = "1:revoked"
        answer = logged_in(company.grace).post(address)
        assert answer.status_code == 422 and "Unauthorized" in answer.content.decode()
        assert "1:revoked" not in answer.content.decode()


def test_numbers_as_people_write_them() -> None:
    for typed in ("+49 (0)30 123456", "0049 (0) 30/123456".replace("(0) ", "(0)"), "+49-30-123456"):
        assert e164(typed) == "+4930123456"
    assert e164("(030) 123456") == ""
