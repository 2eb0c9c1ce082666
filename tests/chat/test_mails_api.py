"""Over HTTP: a transcript, an address for answers, and coming back by the link of a mail."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chat import chats, links, sessions
from chat.models import Chat, Visit
from helpdesk.conversations import actions as conversations
from helpdesk.customers.models import Customer
from helpdesk.events.models import Event
from tests.chat.continuing import begin, widget
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

UMA = "uma@umbrella.example"


def call(client: Client, path: str, body: dict[str, Any], token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(f"/chat/api/{path}", data=body, content_type="application/json", headers=headers)


@pytest.fixture
def held(company: Company) -> tuple[Chat, str]:
    """A stranger's chat, and the token of their session."""
    at = timezone.now()
    visit, token = sessions.open_visit(widget(), None, at=at)
    return begin(visit, "Hello?", at=at, leisurely=True), token


def test_an_address_is_given_and_the_transcript_goes_there(
    client: Client, held: tuple[Chat, str], company: Company
) -> None:
    chat, token = held
    path = f"conversations/{chat.public_id}"
    answer = call(client, f"{path}/transcript", {}, token)
    assert answer.status_code == 409 and answer.json()["code"] == "address"
    assert call(client, f"{path}/address", {"email": " Jon@New.example "}, token).status_code == 204
    assert call(client, f"{path}/transcript", {}, token).json()["code"] == "empty"
    conversations.reply(chat.pk, company.grace, "Hi", at=timezone.now())
    answer = call(client, f"{path}/transcript", {}, token)
    assert (answer.status_code, answer.json()) == (202, {"to": "jon@new.example"})
    for _ in range(4):
        assert call(client, f"{path}/transcript", {}, token).status_code == 202
    refused = call(client, f"{path}/transcript", {}, token)
    assert refused.status_code == 429 and 3500 < int(refused["Retry-After"]) <= 3601
    assert Event.objects.filter(kind="mail.asked", data__what="transcript").count() == 5


@pytest.mark.parametrize(
    "email",
    ["", "jon", "a@b.example,c@d.example", "a@b.example\r\nBcc: x@y.example", "a" * 400, None, 5, "a@b.example\x00"],
)
def test_what_is_no_address_is_refused(client: Client, held: tuple[Chat, str], email: object) -> None:
    chat, token = held
    answer = call(client, f"conversations/{chat.public_id}/address", {"email": email}, token)
    assert answer.status_code in (422, 204) and not Customer.objects.filter(email__contains=",").exists()
    chat.conversation.customer.refresh_from_db()
    assert chat.conversation.customer.email in ("", "a@b.example")


def test_somebody_elses_chat_is_none(client: Client, held: tuple[Chat, str], company: Company) -> None:
    chat, _token = held
    _visit, other = sessions.open_visit(widget(), None, at=timezone.now())
    for what in ("transcript", "address"):
        assert (
            call(client, f"conversations/{chat.public_id}/{what}", {"email": "x@y.example"}, other).status_code == 404
        )
        assert call(client, f"conversations/{chat.public_id}/{what}", {"email": "x@y.example"}).status_code == 401


def test_the_link_of_a_mail_becomes_a_session_by_post_only(client: Client, held: tuple[Chat, str]) -> None:
    chat, _token = held
    url = links.make(chat, at=timezone.now())
    page, _hash, link = url.partition("#resume=")
    before = Visit.objects.count()
    path = page[page.index("/chat/") :]
    assert "resume" not in path and Visit.objects.count() == before
    answer = call(client, "resume", {"key": "pk_test", "link": link})
    assert answer.status_code == 201
    body = answer.json()
    assert body["conv"] == str(chat.public_id) and body["session"] not in url and Visit.objects.count() == before + 1
    thread = client.get(
        f"/chat/api/conversations/{chat.public_id}/thread", headers={"Authorization": f"Bearer {body['session']}"}
    )
    assert thread.json()["items"][0]["d"]["text"] == "Hello?"
    assert call(client, "resume", {"key": "pk_test", "link": link + "x"}).status_code == 401
    old = links.make(chat, at=timezone.now() - timedelta(days=31)).partition("#resume=")[2]
    assert call(client, "resume", {"key": "pk_test", "link": old}).status_code == 401
    assert chats.chats_of(Visit.objects.latest("pk"), 5) == [chat]
