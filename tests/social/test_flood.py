"""A flood in small: two networks tell of twenty people at once, again and again and in any order."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import outbox
from helpdesk.events.models import Hook
from social import accounts, filing
from social.models import Account, Arrival, Post
from social.views.hooks import hook
from tests.fixtures.company import Company
from tests.fixtures.providers import telegram as telegrams
from tests.fixtures.providers import x as xs
from tests.fixtures.providers.telegram import TelegramServer
from tests.fixtures.providers.x import XServer

pytestmark = pytest.mark.django_db
PEOPLE, EACH, CALLS = 20, 4, 600
# path, headers, body
Call = tuple[str, dict[str, str], Any]


@pytest.fixture
def servers(company: Company, settings: Any) -> Iterator[tuple[XServer, TelegramServer]]:
    accounts.forget_connections()
    with ExitStack() as stack:
        x, telegram = stack.enter_context(XServer()), stack.enter_context(TelegramServer())
        settings.SOCIAL_BASE_URLS = {"x": x.url, "telegram": telegram.url}
        connected = {"state": Account.State.CONNECTED, "created_at": timezone.now()}
        secrets = accounts.close({"access_token": xs.TOKEN, "consumer_secret": xs.CONSUMER_SECRET})
        Account.objects.create(network="x", name="X", handle="@demo", external_id=xs.US, secrets=secrets, **connected)
        secrets = accounts.close({"bot_token": telegrams.TOKEN, "webhook_secret": "hush"})
        Account.objects.create(network="telegram", name="Bot", secrets=secrets, **connected)
        yield x, telegram


def _calls(x: XServer, telegram: TelegramServer, began: datetime) -> tuple[list[Call], dict[str, list[str]]]:
    """What the networks tell, and what each person has said in the end, in order."""
    calls: list[Call] = []
    said: dict[str, list[str]] = {}
    first: dict[int, str] = {}
    for number in range(PEOPLE * EACH):
        person, at = number % PEOPLE + 1, began + timedelta(seconds=10 * number)
        text, is_edited = f"{person} says {number}", number % 3 == 0
        if person % 2:
            x.user(str(person), f"p{person}")
            post = x.mention(str(person), text, at, thread=first.get(person, ""))
            first.setdefault(person, post["id"])
            calls.append(("/hooks/x/", *x.event("post.mention.create", post, str(number))))
            if is_edited:
                newer = str(900_000 + number)
                edited = {**post, "id": newer, "text": f"{text}!", "edit_history_tweet_ids": [post["id"], newer]}
                edited["created_at"] = (at + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                calls.append(("/hooks/x/", *x.event("post.mention.create", edited, f"e{number}")))
        else:
            secret = {"X-Telegram-Bot-Api-Secret-Token": "hush"}
            update = telegram.write(person, text, at)
            calls.append(("/hooks/telegram/", secret, update))
            if is_edited:
                calls.append(("/hooks/telegram/", secret, telegram.edit(update, f"{text}!", at + timedelta(seconds=1))))
        said.setdefault(f"p{person}", []).append(f"{text}!" if is_edited else text)
    return calls, said


def _run(calls: list[Call]) -> None:
    """The views alone: what stands before them is tested elsewhere, and is most of the time that a call takes."""
    ask, views = RequestFactory(), {f"/hooks/{name}/": hook(name) for name in ("x", "telegram")}
    for path, headers, body in calls:
        answer = views[path](ask.post(path, body, content_type="application/json", headers=headers))
        assert answer.status_code == 200
    outbox.drain(timezone.now())
    filing.file_arrivals(timezone.now())
    outbox.drain(timezone.now())


def _counts() -> list[int]:
    return [model.objects.count() for model in (Hook, Arrival, Post, Message, Conversation)]


def test_each_is_kept_once_in_order_and_again_nothing(servers: tuple[XServer, TelegramServer]) -> None:
    calls, said = _calls(*servers, timezone.now() - timedelta(hours=2))
    chance = random.Random(7)
    told = [*calls, *chance.choices(calls, k=CALLS - len(calls))]
    chance.shuffle(told)
    _run(told)
    assert Arrival.objects.count() == len(calls)
    assert not Arrival.objects.filter(state__in=[Arrival.State.ACCEPTED, Arrival.State.QUARANTINED]).exists()
    found: dict[str, list[str]] = {}
    for message in Message.objects.filter(kind="inbound", social_post__isnull=False).order_by("pk"):
        person = message.social_post.person
        assert person is not None
        found.setdefault(person.handle.lstrip("@"), []).append(message.text)
    assert found == said
    before = _counts()
    chance.shuffle(calls)
    _run(calls)
    assert _counts() == before
