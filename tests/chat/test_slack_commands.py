"""The slash command, and a line for each new ticket: signed, only for agents, only what they may see."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from helpdesk.customers.models import Team
from helpdesk.events import outbox
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.fixtures.providers import SlackServer

pytestmark = pytest.mark.django_db
ADDRESS = "/hooks/slack/commands/"
Say = Callable[..., Any]


@pytest.fixture
def say(slack: SlackServer, company: Company) -> Say:
    """Somebody types /helpdesk and words."""
    caches["process"].clear()

    def typed(text: str, user: str, *, secret: str = slack.signing_secret) -> Any:
        raw = urlencode({"command": "/helpdesk", "text": text, "user_id": user, "team_id": "T1"}).encode()
        now = str(int(timezone.now().timestamp()))
        signed = hmac.new(secret.encode(), b"v0:" + now.encode() + b":" + raw, hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={signed}"}
        kind = "application/x-www-form-urlencoded"
        return Client().post(ADDRESS, raw, content_type=kind, headers=headers)

    return typed


def test_who_is_on_call_and_where_an_incident_is_opened(say: Say, slack: SlackServer, company: Company) -> None:
    user = slack.hire("grace", "grace@demo.example")
    told = say("oncall", user).json()
    assert told["response_type"] == "ephemeral" and any(
        name in told["text"] for name in ("Ada Lovelace", "Grace Hopper", "Linus Torvalds")
    )
    link = say("incident Web servers & mail", user).json()["text"]
    assert "/desk/status/new/?name=Web%20servers%20%26%20mail" in link
    assert say("", user).json()["text"].startswith("*oncall*")
    browser = Client()
    browser.force_login(company.grace)
    assert "Web servers &amp; mail" in browser.get("/desk/status/new/?name=Web%20servers%20%26%20mail").content.decode()


def test_tickets_are_found_by_number_and_words_among_those_one_may_see(
    say: Say, slack: SlackServer, company: Company, at: datetime
) -> None:
    user = slack.hire("grace", "grace@demo.example")
    mine = write(company.carol, at, subject="Checkout <broken>")
    team = Team.objects.create(name="Board", is_private=True)
    theirs = write(company.carol, at, subject="Checkout merger", team_id=team.pk)
    for words in (f"find {mine.pk}", f"#{mine.pk}", "ticket checkout", "checkout"):
        text = say(words, user).json()["text"]
        assert "Checkout &lt;broken&gt;" in text and "merger" not in text, words
    assert "Nothing found" in say(f"find #{theirs.pk}", user).json()["text"]


def test_only_agents_are_answered_and_only_slack_is_heard(say: Say, slack: SlackServer, settings: Settings) -> None:
    stranger = slack.hire("eve", "eve@elsewhere.example")
    assert "do not know you" in say("oncall", stranger).json()["text"]
    assert say("oncall", stranger, secret="wrong").status_code == 403
    settings.SLACK_SIGNING_SECRET = ""
    assert say("oncall", stranger, secret="").status_code == 403


def test_a_new_ticket_is_one_line_unless_its_team_is_private(
    slack: SlackServer, company: Company, at: datetime, settings: Settings
) -> None:
    opened = [*settings.EVENT_HANDLERS["conversation.opened"], "chat.slack_tickets.tell"]
    settings.EVENT_HANDLERS = {**settings.EVENT_HANDLERS, "conversation.opened": opened}
    team = Team.objects.create(name="Board", is_private=True)
    write(company.carol, at, subject="Merger", team_id=team.pk)
    write(company.carol, at, subject="Site & shop are down")
    outbox.drain(at)
    (line,) = [one.text for one in slack.messages]
    assert "Site &amp; shop are down · Carol Meyer, Acme Media · email" in line
