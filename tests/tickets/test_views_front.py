"""The customers' pages: the form, what it opens, and what it refuses."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client

from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Customer
from tests.fixtures.company import Company
from tickets import web_form
from tickets.models import MailThread

MONDAY = datetime(2026, 1, 12, 8, 0, tzinfo=UTC)


def _token(client: Client) -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get("/tickets/new/").content.decode())
    assert found is not None
    return found.group(1)


def _form(client: Client, **fields: object) -> dict[str, object]:
    return {
        "name": "Nora New",
        "email": "nora@new.example",
        "subject": "The shop is down",
        "priority": "urgent",
        "message": "Since ten o'clock.",
        "token": _token(client),
    } | fields


def _send(client: Client, **fields: object) -> Any:
    return client.post("/tickets/new/", _form(client, **fields))


@pytest.fixture
def monday() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def test_the_front_page_shows_the_ways(client: Client, company: Company) -> None:
    page = client.get("/").content.decode()

    assert all(re.search(f'href="{way}[^"]*"', page) for way in ("/tickets/new/", "/portal/", "/status/"))


def test_a_form_opens_a_ticket_that_is_answered_by_mail(client: Client, company: Company, monday: object) -> None:
    upload = SimpleUploadedFile("log.txt", b"error 500")

    answer = client.post("/tickets/new/", _form(client, uploads=[upload]), follow=True)

    conversation = Conversation.objects.get()
    message = Message.objects.get(kind="inbound")
    assert (conversation.channel, conversation.priority, conversation.customer.email) == (
        "form",
        "urgent",
        "nora@new.example",
    )
    assert message.is_verified is False
    assert MailThread.objects.get(conversation=conversation).mailbox.address == "support@demo.example"
    assert Attachment.objects.get(message=message).name == "log.txt"
    page = answer.content.decode()
    assert (
        f"#{conversation.pk}" in page and "within 30 minutes" in page and "Monday, 12 January 2026, 09:30 CET" in page
    )


def test_a_known_address_is_not_proof_of_who_it_is(client: Client, company: Company) -> None:
    _send(client, email="Carol@ACME.example", name="Somebody else")

    conversation = Conversation.objects.get()
    assert conversation.customer == company.carol
    assert Customer.objects.get(pk=company.carol.pk).name == "Carol Meyer"
    assert Message.objects.get().is_verified is False


def test_the_service_is_recognised_and_kept_in_the_text(client: Client, company: Company) -> None:
    assert 'value="acme.example"' in client.get("/tickets/new/?service=acme.example").content.decode()
    _send(client, service="www.acme.example")

    conversation = Conversation.objects.get()
    assert [service.name for service in conversation.services.all()] == ["acme.example"]
    assert "About: www.acme.example" in Message.objects.get().text


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nora@new"},
        {"email": ""},
        {"email": "nora@new.example\nBcc: all@x.example"},
        {"subject": "  "},
        {"message": ""},
        {"priority": "melting"},
        {"website": "https://spam.example"},
        {"name": "n" * 201},
    ],
)
def test_errors_keep_what_was_typed(wrong: dict[str, str], client: Client, company: Company) -> None:
    answer = _send(client, **({"subject": 'Kept "<b>'} | wrong))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert not Conversation.objects.exists()
    assert "This could not be sent yet" in page
    if "subject" not in wrong:
        assert 'value="Kept &quot;&lt;b&gt;"' in page


def test_too_many_files_are_refused(client: Client, company: Company) -> None:
    files = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(11)]

    assert client.post("/tickets/new/", _form(client, uploads=files)).status_code == 422


def test_the_same_form_sent_twice_is_one_ticket(client: Client, company: Company) -> None:
    form = _form(client)

    first, second = (client.post("/tickets/new/", form, follow=True) for _ in range(2))

    number = Conversation.objects.get().pk
    assert f"#{number}" in first.content.decode() and f"#{number}" in second.content.decode()


@pytest.mark.parametrize("token", ["", "forged", "a:b:c"])
def test_a_form_we_never_showed_is_not_taken_at_once(token: str, client: Client, company: Company) -> None:
    answer = _send(client, token=token)

    assert answer.status_code == 422
    assert not Conversation.objects.exists()
    fresh = re.search(r'name="token" value="([^"]+)"', answer.content.decode())
    assert fresh is not None and _send(client, token=fresh.group(1)).status_code == 302


def test_a_form_open_for_more_than_a_day_gets_a_new_number(
    client: Client, company: Company, monday: time_machine.Traveller
) -> None:
    form = _form(client)
    monday.shift(timedelta(hours=25))

    answer = client.post("/tickets/new/", form)

    assert answer.status_code == 422 and "Nothing is lost" in answer.content.decode()
    assert str(form["token"]) not in answer.content.decode()


def test_what_was_sent_faster_than_people_type_is_marked(
    client: Client, company: Company, monday: time_machine.Traveller
) -> None:
    quick, slow = _form(client), _form(client, email="other@new.example")
    client.post("/tickets/new/", quick)
    monday.shift(timedelta(seconds=30))
    client.post("/tickets/new/", slow)

    remarks = Message.objects.order_by("id").values_list("remark", flat=True)
    assert list(remarks) == ["Sent faster than people type", ""]


def test_one_address_cannot_flood(client: Client, company: Company, monday: object) -> None:
    answers = [_send(client).status_code for _ in range(web_form.PER_ADDRESS + 1)]

    assert answers == [302] * web_form.PER_ADDRESS + [429]
    assert Conversation.objects.count() == web_form.PER_ADDRESS


def test_one_network_address_cannot_flood(client: Client, company: Company, monday: time_machine.Traveller) -> None:
    answers = [_send(client, email=f"{n}@new.example").status_code for n in range(web_form.PER_SENDER + 1)]
    monday.shift(web_form.PER_SENDER_WINDOW)

    assert answers == [302] * web_form.PER_SENDER + [429]
    assert _send(client, email="later@new.example").status_code == 302


@pytest.mark.parametrize(("path", "status"), [("/nowhere/", 404), ("/desk/nowhere/", 404)])
def test_errors_have_a_page_of_their_own(path: str, status: int, client: Client, company: Company) -> None:
    answer = client.get(path)

    assert answer.status_code == status
    assert "There is nothing at this address" in answer.content.decode()


def test_every_error_has_words(client: Client, company: Company) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert "Please send it again" in strict.post("/tickets/new/", {}).content.decode()
    for name in ("400.html", "403.html", "500.html"):
        # As Django renders them: without a request.
        assert "<h1>" in render_to_string(name)
