"""A Telegram bot over a local server that speaks the Bot API."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.events import outbox
from helpdesk.sla.models import Clock
from social import accounts, media
from social.models import Account, Arrival, Person
from social.networks.telegram import Telegram
from social.networks.telegram_reading import read_updates
from tests.fixtures.company import Company
from tests.fixtures.providers.telegram import TOKEN, TelegramServer
from tests.social.talk import poll_all

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).resolve().parents[3].parent / "shared/data/integrations/chatwoot_payloads/telegram"


def test_a_chat_with_the_bot_is_one_conversation_both_ways(
    bot: Account, telegram: TelegramServer, company: Company, at: datetime
) -> None:
    first = telegram.write(7, "My site is down", at)
    telegram.write(7, "web14", at + timedelta(seconds=5))
    telegram.edit(first, "My shop is down", at + timedelta(seconds=9))
    poll_all(at + timedelta(minutes=1))
    poll_all(at + timedelta(minutes=2))
    conversation = Conversation.objects.get(channel="telegram")
    inbound = conversation.messages.filter(kind="inbound").order_by("pk")
    assert list(inbound.values_list("text", flat=True)) == ["My shop is down", "web14"]
    # The default plan has live support in the first days, and the office is open: a person answers, no machine.
    assert Clock.objects.get(conversation=conversation, target="first_response").goal_seconds == 300
    conversations.reply(conversation.pk, company.ada, "We look into it.", at=at)
    outbox.drain(at + timedelta(minutes=3))
    assert telegram.said == [("7", "We look into it.")]
    bot.refresh_from_db()
    assert bot.cursor == {"offset": 1003}


def test_who_is_not_entitled_is_told_so_at_once(bot: Account, telegram: TelegramServer, at: datetime) -> None:
    telegram.write(7, "hello", at)
    poll_all(at)
    customer = Person.objects.get().customer
    customer.created_at = at - timedelta(days=60)
    customer.save()
    Conversation.objects.update(thread="old")
    telegram.write(7, "hello again", at + timedelta(minutes=5))
    poll_all(at + timedelta(minutes=6))
    outbox.drain(at + timedelta(minutes=6))
    [(chat, words)] = telegram.said
    assert chat == "7"
    assert "does not include live support" in words
    assert "You will hear from us by" in words


def test_who_blocks_the_bot_is_unreachable_until_they_write(
    bot: Account, telegram: TelegramServer, company: Company, at: datetime
) -> None:
    telegram.write(7, "hello", at)
    poll_all(at)
    conversation = Conversation.objects.get(channel="telegram")
    telegram.blocked.add("7")
    reply = conversations.reply(conversation.pk, company.ada, "Hi!", at=at)
    outbox.drain(at)
    reply.refresh_from_db()
    assert (reply.delivery, "blocked" in reply.error) == (Message.Delivery.FAILED, True)
    assert Person.objects.get().unreachable_at is not None
    telegram.write(7, "back", at + timedelta(minutes=5))
    poll_all(at + timedelta(minutes=5))
    assert Person.objects.get().unreachable_at is None


def test_pictures_are_fetched_once_and_their_address_is_not_kept(
    bot: Account, telegram: TelegramServer, at: datetime
) -> None:
    telegram.files["big"] = b"\x89PNG\r\n\x1a\n" + b"0" * 50
    photo = [{"file_id": "small", "file_size": 10}, {"file_id": "big", "file_size": 100}]
    telegram.write(7, "", at, photo=photo, caption="look")
    poll_all(at)
    assert media.fetch_due(at=at) == 1
    assert media.fetch_due(at=at + timedelta(hours=1)) == 0
    attachment = Attachment.objects.get(message__conversation__channel="telegram")
    assert (attachment.content_type, attachment.size) == ("image/png", 58)
    assert TOKEN not in json.dumps(list(attachment.message.social_post.media))


def test_an_album_is_one_message(bot: Account, telegram: TelegramServer, at: datetime) -> None:
    for number in range(3):
        telegram.files[f"p{number}"] = b"\x89PNG\r\n\x1a\n" + b"0" * (50 + number)
        more = {"caption": "Look at these"} if number == 1 else {}
        photo = [{"file_id": f"p{number}", "file_size": 10}]
        telegram.write(7, "", at, photo=photo, media_group_id="g1", **more)
    telegram.files["later"] = b"\x89PNG\r\n\x1a\n"
    telegram.write(7, "And?", at + timedelta(seconds=2))
    telegram.write(7, "", at + timedelta(seconds=3), photo=[{"file_id": "later"}], media_group_id="g2")
    poll_all(at + timedelta(seconds=5))
    poll_all(at + timedelta(seconds=5))
    album, words, later = Message.objects.filter(conversation__channel="telegram").order_by("pk")
    assert (album.text, words.text) == ("Look at these", "And?")
    assert media.fetch_due(at=at + timedelta(seconds=5)) == 4
    assert sorted(album.attachments.values_list("size", flat=True)) == [58, 59, 60]
    assert later.attachments.count() == 1, "another album"


def test_the_webhooks_secret_fails_closed(bot: Account, telegram: TelegramServer, client: Client) -> None:
    body = json.dumps({"update_id": 1}).encode()
    post = "/hooks/telegram/"
    assert client.post(post, body, content_type="application/json").status_code == 403
    wrong = {"X-Telegram-Bot-Api-Secret-Token": "hush!"}
    assert client.post(post, body, content_type="application/json", headers=wrong).status_code == 403
    right = {"X-Telegram-Bot-Api-Secret-Token": "hush"}
    assert client.post(post, body, content_type="application/json", headers=right).status_code == 200
    Account.objects.update(secrets=accounts.close({"bot_token": TOKEN}))
    accounts.forget_connections()
    empty = {"X-Telegram-Bot-Api-Secret-Token": ""}
    assert client.post(post, body, content_type="application/json", headers=empty).status_code == 403


def test_the_probe_settles_whether_we_ask_or_are_told(
    bot: Account, telegram: TelegramServer, settings: object, at: datetime
) -> None:
    settings.PUBLIC_URL = "https://help.example"  # type: ignore[attr-defined]
    accounts.probe(bot, at=at)
    assert telegram.webhook == "https://help.example/hooks/telegram/"
    settings.PUBLIC_URL = "http://127.0.0.1:8000"  # type: ignore[attr-defined]
    accounts.probe(bot, at=at)
    assert telegram.webhook == ""
    bot.refresh_from_db()
    assert (bot.external_id, bot.handle) == ("123", "@demo_bot")


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared test data is not here")
def test_recorded_updates_are_all_understood(at: datetime) -> None:
    found = sorted(PAYLOADS.glob("*.json"))
    assert found
    for path in found:
        batch = Telegram().read(path.read_bytes(), {}, at=at)
        assert batch.unread == (), path.name
        assert len(batch.happenings) + len(batch.ignored) == 1, path.name


def test_nothing_hostile_raises() -> None:
    hostile = [{}, {"message": None}, {"message": {"chat": 1}}, {"message": {"chat": {"type": "private"}}}, 7, None]
    batch = read_updates(hostile)
    assert len(batch.unread) == len(hostile)
    assert not Arrival.objects.exists()


def test_what_is_shortened_fits_as_telegram_counts() -> None:
    network, link = Telegram(), "https://demo.example/status/i/1"
    fitted = network.fit("🎉 " * 2000, link)
    assert network.count(fitted, is_public=True).fits and fitted.endswith(link)
    assert len(fitted) > 2000, "no more is cut than has to be"
    fitted = network.fit("語" * 5000, link)
    assert network.count(fitted, is_public=True).fits and fitted.startswith("語" * 4000), "no spaces to cut at"
    assert network.fit("One word and another " * 300, "").endswith(("word…", "and…", "another…", "One…"))
