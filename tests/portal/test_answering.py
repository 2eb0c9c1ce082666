"""What customers do with their conversations: answer, attach, close, open again; two at once; long after."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.portal.conftest import SignedIn

pytestmark = pytest.mark.django_db


def test_an_answer_is_filed_once_with_its_files(company: Company, signed_in: SignedIn) -> None:
    ticket, browser = write(company.carol, now()), signed_in(company.carol)
    conversations.reply(ticket.pk, company.grace, "Please look again.", at=now() - timedelta(minutes=1))
    page = browser.get(f"/portal/conversations/{ticket.pk}/").content.decode()
    assert "Please look again." in page and "Grace Hopper" in page and "Waiting for you" in page
    client_id, path = str(uuid4()), f"/portal/conversations/{ticket.pk}/answers/"
    for _ in range(2):
        upload = SimpleUploadedFile("../évil.html", b"<script>1</script>")
        answer = browser.post(path, {"text": "Still slow.", "client_id": client_id, "uploads": [upload]})
        assert answer.status_code == 302
    (said,) = Message.objects.filter(conversation=ticket, client_id=client_id)
    assert (said.text, said.via, said.customer, said.is_verified) == ("Still slow.", "portal", company.carol, True)
    assert said.attachments.count() == 1 and "/" not in said.attachments.get().name
    ticket.refresh_from_db()
    assert ticket.status == "open"
    # What the desk shows of it has a word for where it came from.
    assert b"Portal" in browser.get(f"/portal/conversations/{ticket.pk}/").content


def test_empty_and_overlarge_answers_are_refused_and_the_text_is_kept(company: Company, signed_in: SignedIn) -> None:
    ticket, browser = write(company.carol, now()), signed_in(company.carol)
    path = f"/portal/conversations/{ticket.pk}/answers/"
    assert browser.post(path, {"text": " \x00 "}).status_code == 422
    files = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(11)]
    refused = browser.post(path, {"text": "My long text", "uploads": files})
    assert refused.status_code == 422 and b"My long text" in refused.content
    assert browser.post(path, {"text": ""}, headers={"Accept": "application/json"}).json()["trouble"]
    assert Message.objects.filter(conversation=ticket).count() == 1


def test_two_managers_answering_at_once_see_each_other(company: Company, signed_in: SignedIn) -> None:
    ticket = write(company.carol, now())
    managers = [
        Customer.objects.create(
            name=name, email=f"{name}@acme.example", organization=company.carol.organization, is_manager=True,
            created_at=now(),
        )
        for name in ("first", "second")
    ]  # fmt: skip
    seen = str(Message.objects.get(conversation=ticket).pk)
    path = f"/portal/conversations/{ticket.pk}/answers/"
    assert signed_in(managers[0]).post(path, {"text": "I answer", "seen": seen}).status_code == 302
    late = signed_in(managers[1]).post(path, {"text": "So do I", "seen": seen})
    assert late.status_code == 409 and b"So do I" in late.content and b"I answer" in late.content
    again = str(Message.objects.filter(conversation=ticket).latest("pk").pk)
    assert signed_in(managers[1]).post(path, {"text": "So do I", "seen": again}).status_code == 302
    authors = list(Message.objects.filter(conversation=ticket).order_by("pk").values_list("customer__name", flat=True))
    assert authors == ["Carol Meyer", "first", "second"]
    # Whoever answers gets the answers to it.
    assert set(ticket.followers.values_list("name", flat=True)) == {"first", "second"}


def test_closing_and_opening_again(company: Company, signed_in: SignedIn) -> None:
    ticket, browser = write(company.carol, now()), signed_in(company.carol)
    path = f"/portal/conversations/{ticket.pk}"
    for _ in range(2):
        assert browser.post(f"{path}/closing/").status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == "resolved"
    event = Event.objects.filter(conversation=ticket, kind="conversation.resolved").get()
    assert event.actor_kind == "customer"
    browser.post(f"{path}/reopening/")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolved_at) == ("open", None)


def test_what_was_done_with_long_ago_goes_on_as_a_new_one(company: Company, signed_in: SignedIn) -> None:
    ticket, browser = write(company.carol, now() - timedelta(days=60)), signed_in(company.carol)
    change = conversations.Changes(status="resolved")
    conversations.change(ticket.pk, change, actor=Actor.agent(company.ada), at=now() - timedelta(days=40))
    path = f"/portal/conversations/{ticket.pk}"
    browser.post(f"{path}/reopening/")
    ticket.refresh_from_db()
    assert ticket.status == "resolved"
    answer = browser.post(f"{path}/answers/", {"text": "It is back."})
    new = Conversation.objects.latest("pk")
    assert new.pk != ticket.pk and new.previous_id == ticket.pk and new.channel == "portal"
    assert f"/portal/conversations/{new.pk}/" in answer["Location"]
    assert browser.get(answer["Location"]).status_code == 200


def test_the_open_page_is_told_of_what_comes(company: Company, signed_in: SignedIn) -> None:
    ticket, browser = write(company.carol, now()), signed_in(company.carol)
    first = Message.objects.get(conversation=ticket)
    path = f"/portal/conversations/{ticket.pk}/news/?after={first.pk}&status=new"
    assert browser.get(path).status_code == 204
    conversations.reply(ticket.pk, company.grace, "Done.", at=now() - timedelta(minutes=1))
    news = browser.get(path)
    assert news.status_code == 200 and b"Done." in news.content and b"hx-swap-oob" in news.content


def test_long_lists_come_in_parts(company: Company, signed_in: SignedIn) -> None:
    at = now() - timedelta(days=1)
    for number in range(30):
        write(company.carol, at + timedelta(minutes=number), subject=f"Number {number:02}")
    browser = signed_in(company.carol)
    first = browser.get("/portal/").content.decode()
    assert "Number 29" in first and "Number 05" in first and "Number 04" not in first
    after = first.split("?after=")[1].split('"')[0]
    rest = browser.get(f"/portal/?after={after}").content.decode()
    assert "Number 04" in rest and "Number 00" in rest and "Number 05" not in rest
    for nonsense in ("x", "2026-01-01/1", "/", "9" * 99):
        assert browser.get("/portal/", {"after": nonsense}).status_code == 200
