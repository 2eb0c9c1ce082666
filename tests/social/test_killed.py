"""A worker is killed over a reply: it stands on the network once, and where nobody can tell, the agent is told so."""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings as conf
from django.db import connection
from django.utils.timezone import now
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.events import outbox
from social import accounts
from social.models import Person, Post
from tests.fixtures.company import Company
from tests.fixtures.providers import telegram as telegrams
from tests.fixtures.providers import x as xs
from tests.fixtures.providers.telegram import TelegramServer
from tests.fixtures.providers.x import XServer
from tests.social.talk import account_on, said_to

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


def _environment(x: XServer, telegram: TelegramServer) -> dict[str, str]:
    known = connection.settings_dict
    place = {"host": known["HOST"] or known["OPTIONS"].get("host", ""), "port": known["PORT"]}
    query = urlencode({name: value for name, value in place.items() if value})
    login = ":".join(filter(None, (quote(known["USER"] or ""), quote(known["PASSWORD"] or ""))))
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "DATABASE_URL": f"postgres://{login}@/{known['NAME']}?{query}",
        "SECRET_KEY": conf.SECRET_KEY,
        "X_BASE_URL": x.url,
        "TELEGRAM_BASE_URL": telegram.url,
        "LOG_LEVEL": "ERROR",
    }


def test_a_killed_workers_reply_stands_there_once(company: Company, settings: Settings) -> None:
    at = now() - timedelta(hours=1)
    with ExitStack() as stack:
        x, telegram = stack.enter_context(XServer()), stack.enter_context(TelegramServer())
        settings.SOCIAL_BASE_URLS = {"x": x.url, "telegram": telegram.url}
        secrets = accounts.close({"access_token": xs.TOKEN, "bot_token": telegrams.TOKEN})
        on_x = account_on("x", at, external_id=xs.US, secrets=secrets)
        on_telegram = account_on("telegram", at, secrets=secrets)
        said = [x.mention(str(number), "@demo?", at)["id"] for number in (7, 8)]
        asked = [
            *(said_to(on_x, "@demo?", at, who=f"p{number}", id=post) for number, post in enumerate(said)),
            said_to(on_telegram, "hello?", at, who="7", is_public=False, thread="chat:7", id="7:1"),
        ]
        Person.objects.filter(account=on_telegram).update(external_id="7")
        taken, lost, unknown = (
            conversations.reply(one.pk, company.grace, f"Answer {number}", at=at) for number, one in enumerate(asked)
        )
        points = [f"answered:{taken.pk}", f"asked:{lost.pk}", f"answered:{unknown.pk}"]
        command = [sys.executable, "-m", "tests.social.reply_worker", *points]
        subprocess.run(command, cwd=ROOT, env=_environment(x, telegram), timeout=300, check=True)
        assert len(x.posts) == len(telegram.said) == 1, "what was answered is there, the other is not"
        ours = Message.objects.filter(kind="outbound", is_automatic=False)
        assert set(ours.values_list("delivery", flat=True)) == {"sending"}

        for minutes in (0, 5, 60):
            outbox.drain(now() + timedelta(minutes=minutes))
        for message in (taken, lost, unknown):
            message.refresh_from_db()
        assert (taken.delivery, lost.delivery) == ("sent", "sent"), (taken.error, lost.error)
        assert sorted(one["text"].rpartition(" ")[2] for one in x.posts) == ["0", "1"]
        assert Post.objects.get(message=taken).external_id == x.posts[0]["id"]
        answers = [text for _chat, text in telegram.said if text == "Answer 2"]
        assert (unknown.delivery, len(answers)) == ("failed", 1), "nobody can tell: it is said, not sent again"
        assert "may or may not" in unknown.error
