"""Slack on the settings page: how it stands, how to connect it, and an honest test."""

import json

import pytest
from pytest_django import Settings

from chat import slack_checks, slack_manifest
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.fixtures.providers import SlackServer

pytestmark = pytest.mark.django_db
PAGE, TRY = "/desk/settings/slack/", "/desk/settings/slack/trying/"


def found() -> dict[str, tuple[str, str]]:
    return {str(one.what): (one.state, str(one.detail)) for one in slack_checks.check("Ada <!channel>")}


def test_each_part_is_tried(slack: SlackServer, settings: Settings) -> None:
    slack.scopes.remove("users:read.email")
    told = found()
    assert told["Token"] == ("ok", "Slack knows us as helpdesk in Demo.")
    assert told["Scope users:read.email"][0] == "warn" and "Scope commands" not in told
    assert told["Channel"][0] == "ok" and "Ada &lt;!channel&gt;" in slack.messages[-1].text
    settings.SLACK_CHANNEL, settings.SLACK_SIGNING_SECRET = "C404", ""
    told = found()
    assert "invite the bot" in told["Channel"][1] and told["Signing secret"][0] == "bad"
    for code in ("token_revoked", "account_inactive"):
        slack.refuse_next(code)
        words = found()["Token"][1]
        assert code in words and "install the app again" in words
    slack.fail_next(502)
    assert found()["Token"][0] == "bad"
    settings.SLACK_BOT_TOKEN = ""
    assert found() == {"Token": ("bad", "SLACK_BOT_TOKEN is not set.")}


def test_the_page_is_the_admins_and_tells_no_secret(company: Company, slack: SlackServer, settings: Settings) -> None:
    agent = logged_in(company.grace)
    assert (agent.get(PAGE).status_code, agent.post(TRY).status_code) == (403, 403)
    browser = logged_in(company.ada)
    page = browser.get(PAGE).content.decode()
    assert settings.SLACK_BOT_TOKEN not in page and settings.SLACK_SIGNING_SECRET not in page
    assert browser.get(TRY).status_code == 405
    assert "A test message stands in" in browser.post(TRY).content.decode()


def test_the_app_is_described_as_slack_takes_it() -> None:
    told = json.loads(slack_manifest.manifest("https://help.example", "A company with a rather long name, Inc."))
    assert told["settings"]["interactivity"]["request_url"] == "https://help.example/hooks/slack/interactivity/"
    assert told["features"]["slash_commands"][0]["url"] == "https://help.example/hooks/slack/commands/"
    assert len(told["display_information"]["name"]) <= 35
    assert {"chat:write", "users:read.email", "commands"} <= set(told["oauth_config"]["scopes"]["bot"])
