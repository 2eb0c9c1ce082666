"""A WhatsApp number over a local server that speaks the Cloud API and signs its deliveries."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.events import outbox
from social import accounts, filing, media
from social.models import Account, Post, Thread
from tests.fixtures.company import Company
from tests.fixtures.providers.facebook import SECRET, refused
from tests.fixtures.providers.whatsapp import NUMBER, TOKEN, WhatsAppServer

pytestmark = pytest.mark.django_db
MARIA = "4915100000007"


@pytest.fixture
def whatsapp(settings: Any) -> Iterator[WhatsAppServer]:
    with WhatsAppServer() as server:
        settings.SOCIAL_BASE_URLS = {"whatsapp": server.url}
        settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"
        yield server


@pytest.fixture
def account(whatsapp: WhatsAppServer, company: Company) -> Account:
    accounts.forget_connections()
    return Account.objects.create(
        network=Account.Network.WHATSAPP,
        name="Demo on WhatsApp",
        external_id=NUMBER,
        secrets=accounts.close({"token": TOKEN, "app_secret": SECRET}),
        state=Account.State.CONNECTED,
        created_at=timezone.now(),
    )


def _tell(client: Client, signed: tuple[dict[str, str], bytes]) -> int:
    headers, body = signed
    return client.post("/hooks/whatsapp/", body, content_type="application/json", headers=headers).status_code


def _work() -> None:
    outbox.drain(timezone.now())
    filing.file_arrivals(timezone.now())


def _forget_the_welcome(whatsapp: WhatsAppServer) -> None:
    """Outside office hours a machine says when somebody will be there."""
    outbox.drain(timezone.now())
    whatsapp.said.clear()


def _begun(client: Client, whatsapp: WhatsAppServer) -> Conversation:
    _tell(client, whatsapp.deliver(messages=[whatsapp.message(MARIA, "hello", timezone.now())]))
    _work()
    _forget_the_welcome(whatsapp)
    return Conversation.objects.get(channel="whatsapp")


def test_a_chat_both_ways_its_echo_edits_and_what_became_of_it(
    account: Account, whatsapp: WhatsAppServer, company: Company, client: Client
) -> None:
    at = timezone.now()
    first = whatsapp.message(MARIA, "My site is dwon", at)
    second = whatsapp.message(MARIA, "web14", at + timedelta(seconds=1))
    told = whatsapp.deliver(messages=[first, second])
    assert [_tell(client, told), _tell(client, told)] == [200, 200]
    _work()
    _forget_the_welcome(whatsapp)
    conversation = Conversation.objects.get(channel="whatsapp")
    assert Thread.objects.get().person.name == "Maria"
    reply = conversations.reply(conversation.pk, company.ada, "We look into it.", at=at)
    outbox.drain(at + timedelta(minutes=1))
    [sent] = whatsapp.said
    assert (sent["to"], sent["text"]["body"]) == (MARIA, "We look into it.")
    ours = Post.objects.get(message=reply).external_id
    later = str(int(at.timestamp()) + 2)
    words = {"original_message_id": first["id"], "message": {"type": "text", "text": {"body": "My site is down"}}}
    edited = {"from": MARIA, "id": "wamid.e", "timestamp": later, "type": "edit", "edit": words}
    echo = {"to": MARIA, "from": NUMBER, "timestamp": later, "type": "text"}
    echoes = [
        {**echo, "id": ours, "text": {"body": "We look into it."}},
        {**echo, "id": "wamid.phone", "text": {"body": "From the phone"}},
    ]
    statuses = [{"id": ours, "status": state, "timestamp": later} for state in ("sent", "delivered", "read")]
    _tell(client, whatsapp.deliver(messages=[edited]))
    _tell(client, whatsapp.deliver(message_echoes=echoes))
    _tell(client, whatsapp.deliver(statuses=statuses))
    _work()
    said = conversation.messages.exclude(is_automatic=True).order_by("pk")
    texts = list(said.values_list("text", flat=True))
    assert texts == ["My site is down", "web14", "We look into it.", "From the phone"]
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.DELIVERED


def test_after_a_day_nothing_is_sent(
    account: Account, whatsapp: WhatsAppServer, company: Company, client: Client
) -> None:
    conversation = _begun(client, whatsapp)
    later = timezone.now() + timedelta(hours=25)
    reply = conversations.reply(conversation.pk, company.ada, "Hi!", at=later)
    outbox.drain(later)
    reply.refresh_from_db()
    assert (reply.delivery, whatsapp.said) == (Message.Delivery.FAILED, [])
    assert "over" in reply.error


@pytest.mark.parametrize("code", [190, 130429, 131047, 131026])
def test_errors_are_told_apart_by_their_code(
    account: Account, whatsapp: WhatsAppServer, company: Company, client: Client, code: int
) -> None:
    conversation = _begun(client, whatsapp)
    reply = conversations.reply(conversation.pk, company.ada, "Hi!", at=timezone.now())
    error = refused(code, "Something went wrong")
    whatsapp.fail_next(error.status, error.body)
    outbox.drain(timezone.now() + timedelta(minutes=1))
    reply.refresh_from_db()
    account.refresh_from_db()
    assert reply.delivery == (Message.Delivery.PENDING if code == 130429 else Message.Delivery.FAILED)
    assert (account.state == Account.State.REAUTH_REQUIRED) == (code == 190)
    assert (Thread.objects.get().person.unreachable_at is not None) == (code == 131026)


def test_what_may_have_been_said_is_not_said_twice(
    account: Account, whatsapp: WhatsAppServer, company: Company, client: Client
) -> None:
    conversation = _begun(client, whatsapp)
    reply = conversations.reply(conversation.pk, company.ada, "Hi!", at=timezone.now())
    whatsapp.cut_next(process=True)
    for minutes in (1, 5, 60):
        outbox.drain(timezone.now() + timedelta(minutes=minutes))
    reply.refresh_from_db()
    assert len(whatsapp.said) == 1
    assert (reply.delivery, "may or may not" in reply.error) == (Message.Delivery.FAILED, True)


def test_files_go_out_after_the_words_and_no_words_twice(
    account: Account, whatsapp: WhatsAppServer, company: Company, client: Client
) -> None:
    conversation = _begun(client, whatsapp)
    file = File(name="invoice.pdf", content_type="application/pdf", content=b"%PDF-1.7")
    reply = conversations.reply(conversation.pk, company.ada, "Here it is.", at=timezone.now(), files=[file])
    whatsapp.cut_next(process=True)  # the upload: nothing was said yet
    for minutes in (1, 30):
        outbox.drain(timezone.now() + timedelta(minutes=minutes))
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.SENT, reply.error
    assert [one["type"] for one in whatsapp.said] == ["text", "document"]


def test_several_pictures_are_one_message(account: Account, whatsapp: WhatsAppServer, client: Client) -> None:
    at, pictures = timezone.now().replace(microsecond=0) - timedelta(minutes=5), []
    for number in range(4):
        whatsapp.media[f"m{number}"] = b"\x89PNG\r\n\x1a\n" + b"0" * number
        # The last one comes a while later, and is something new.
        said_at = at + timedelta(seconds=number if number < 3 else 90)
        image = {"id": f"m{number}", **({"caption": f"see {number}"} if number in (0, 2) else {})}
        pictures.append(whatsapp.message(MARIA, "", said_at, type="image", image=image))
    _tell(client, whatsapp.deliver(messages=pictures[:2]))
    _tell(client, whatsapp.deliver(messages=pictures[2:]))
    _tell(client, whatsapp.deliver(messages=pictures[1:3]))
    _work()
    media.fetch_due(at=timezone.now())
    found = Message.objects.filter(conversation__channel="whatsapp", kind="inbound").order_by("pk")
    assert [(one.text, one.attachments.count()) for one in found] == [("see 0\n\nsee 2", 3), ("[image]", 1)]


def test_pictures_are_fetched_with_our_token_from_meta_alone(
    account: Account, whatsapp: WhatsAppServer, client: Client
) -> None:
    whatsapp.media["m1"] = b"\x89PNG\r\n\x1a\n" + b"0" * 50
    at = timezone.now()
    picture = whatsapp.message(MARIA, "", at, type="image", image={"id": "m1", "caption": "look"})
    _tell(client, whatsapp.deliver(messages=[picture]))
    _work()
    media.fetch_due(at=at + timedelta(seconds=5))
    assert Attachment.objects.get(message__conversation__channel="whatsapp").size == 58
    assert Message.objects.get(conversation__channel="whatsapp", kind="inbound").text == "look"
