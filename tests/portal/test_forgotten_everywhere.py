"""Whoever is forgotten stands nowhere any more: every table of the database is searched for their words."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from chat.models import Booking, Upload, Visit, Widget
from helpdesk.conversations import actions as conversations
from helpdesk.conversations import following
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.receivers import _alarm
from helpdesk.customers import audit
from helpdesk.customers.forgetting import forgetting as forgetting_customers
from helpdesk.customers.models import AuditEntry, Customer, Identity
from helpdesk.events import forgetting
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event, Hook
from helpdesk.oncall import paging
from helpdesk.ratings.models import Rating
from knowledge import articles
from knowledge.articles import Text
from knowledge.models import Comment, Remark
from phone.models import Call, Recording
from portal import erasing
from portal.models import Erasure
from social.models import Arrival, Person, Post
from status.models import Subscriber
from tests.fixtures.company import Company
from tests.fixtures.customers import session_of
from tests.fixtures.desk import write
from tests.fixtures.mailing import Send, raw_mail, settle
from tests.fixtures.mailing import send_mail as send_mail
from tests.quotes.offers import drafted
from tests.social.talk import account_on, said_to
from tickets.desk.models import ChecklistItem, Draft, TimeEntry

pytestmark = pytest.mark.django_db
EMAIL, NUMBER = "quokka@acme.example", "+4930555777"


def _found() -> dict[str, str]:
    """Tables in which something of theirs stands, with the row."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            row_says = f"encode(convert_to(t::text, 'UTF8'), 'escape') || {_bytes(table)}"
            cursor.execute(f'SELECT t::text FROM "{table}" t WHERE {row_says} ~* %s LIMIT 1', ["quokka|4930555777"])
            if row := cursor.fetchone():
                found[table] = row[0]
    return found


def _bytes(table: str) -> str:
    """What stands in a table's columns of bytes, as text."""
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, table)
        named = [one.name for one in columns if one.type_code == 17]
    return " || ".join(f"coalesce(encode(\"{name}\", 'escape'), '')" for name in named) or "''"


def _on_networks(company: Company, at: datetime) -> Customer:
    """Somebody who wrote on a network, by whatever name, and has an address and a telephone."""
    account = account_on("mastodon", at)
    said = said_to(account, "The quokka is down", at, who="quokka", id="9", thread="quokka:chat")
    customer = said.customer
    hook = Hook.objects.create(provider="mastodon", external_id="1", received_at=at, body=b'{"text": "quokka"}')
    given = {"happened_at": at, "received_at": at, "body": {"text": "quokka"}, "state": Arrival.State.FILED}
    Arrival.objects.create(account=account, key="1", subject="id-quokka", hook=hook, **given)
    Customer.objects.filter(pk=customer.pk).update(
        name="Quokka Quill", email=EMAIL, organization=company.carol.organization
    )
    Identity.objects.create(customer=customer, channel="email", handle=EMAIL, verified_at=at)
    Identity.objects.create(customer=customer, channel="phone", handle=NUMBER)
    customer.refresh_from_db()
    return customer


def _by_phone(customer: Customer, conversation: Conversation, at: datetime) -> None:
    call = Call.objects.create(
        direction="inbound", conversation=conversation, customer=customer, from_number=NUMBER, began_at=at
    )
    Recording.objects.create(sid="RE1", call=call, transcript="quokka calling", heard_at=at)
    given = {"provider": "twilio", "external_id": "2", "received_at": at, "headers": {"person": NUMBER}}
    Hook.objects.create(**given, body=b"From=%2B4930555777")


def _in_the_help_centre(customer: Customer, at: datetime) -> None:
    article = articles.create(Text("SSH", "Port 22."), visibility="public", author=None, at=at)
    said = {"article": article, "language": "en", "at": at, "text": "quokka says"}
    Comment.objects.create(**said, name="Quokka", email=EMAIL, customer=customer)
    Comment.objects.create(**said, name="Q", email="Quokka@Acme.example")
    Remark.objects.create(**said, customer=customer)


def _on_the_desk(company: Company, customer: Customer, conversation: Conversation, at: datetime) -> None:
    followed = write(company.carol, at)
    following.follow(followed.pk, [EMAIL, "max@acme.example"], actor=Actor.agent(company.grace), at=at)
    conversations.note(conversation.pk, company.grace, "The quokka again", at=at)
    conversations.reply(conversation.pk, company.grace, "Dear Quokka", at=at)
    Draft.objects.create(conversation=conversation, user=company.grace, text="quokka", updated_at=at)
    ChecklistItem.objects.create(conversation=conversation, text="Call Quokka")
    TimeEntry.objects.create(conversation=conversation, user=company.grace, minutes=3, note="Quokka", at=at)
    Rating.objects.create(
        conversation=conversation, customer=customer, score=2, comment="quokka", rated_at=at, via="mail"
    )
    drafted(conversation, company.grace, at, title="For Quokka")
    paging.trigger_all([_alarm(conversation, paging.Reason("breach", "Nobody answered", at), "high")], at=at)


def test_nothing_of_theirs_is_left(company: Company, send_mail: Send, at: datetime) -> None:
    customer = _on_networks(company, at)
    mail = raw_mail(sender=f"Quokka Quill <{EMAIL}>", subject="Quokka", text="quokka writes")
    assert send_mail(mail, at=at, mail_from=EMAIL).state == "filed"
    ticket = write(customer, at, subject="Quokka", text="My quokka", files=(File("quokka.txt", "text/plain", b"it"),))
    session_of(customer)
    _by_phone(customer, ticket, at)
    _in_the_help_centre(customer, at)
    _on_the_desk(company, customer, ticket, at)
    widget = Widget.objects.get()
    visit = Visit.objects.create(
        widget=widget, digest="d" * 64, customer=customer, subject="quokka", page_url="https://acme.example/quokka",
        created_at=at, seen_at=at, expires_at=at,
    )  # fmt: skip
    Upload.objects.create(visit=visit, name="quokka.png", content_type="image/png", size=1, sha256="0" * 64, at=at)
    Booking.objects.create(
        widget=widget,
        customer=customer,
        starts_at=at,
        ends_at=at + timedelta(minutes=30),
        seat=1,
        topic="quokka",
        email=EMAIL,
        booked_at=at,
    )
    Subscriber.objects.create(kind="email", address=EMAIL, customer=customer, created_at=at, asked_at=at)
    before = audit.stored(customer)
    Customer.objects.filter(pk=customer.pk).update(notes="Likes quokkas")
    audit.record(company.ada.pk, "changed", customer, before, audit.stored(customer), at=at)
    settle(at + timedelta(minutes=1))
    assert len(_found()) > 20, "or nothing is looked for"

    Erasure.objects.create(customer=customer, asked_at=at - timedelta(days=9), due_at=at - timedelta(days=2))
    erasing.confirm(customer.pk, company.ada, at=at + timedelta(minutes=2))
    assert _found() == {}
    assert Conversation.objects.filter(customer=customer).count() >= 2 and Person.objects.get().customer == customer
    assert Post.objects.count() >= 1, "that something was said stays"
    told = Event.objects.get(kind="conversation.follower_added").data
    assert told["addresses"] == ["…", "max@acme.example"] and customer.pk in told["customers"]


@pytest.mark.parametrize("allowed", ["", "yes"])
def test_events_change_in_no_other_way(company: Company, at: datetime, allowed: str) -> None:
    write(company.carol, at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('helpdesk.forgets', %s, true)", [allowed])
    changes: tuple[dict[str, Any], ...] = (
        {"kind": "conversation.lost"},
        {"at": at + timedelta(days=1)},
        {"data": {}, "public_seq": None},
    )
    for change in changes:
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Event.objects.update(**change)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Event.objects.all()._raw_delete("default")
    if not allowed:
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Event.objects.update(data={})


def test_only_whole_addresses_are_taken_out(company: Company, at: datetime) -> None:
    ticket = write(company.carol, at)
    said = ["carol@acme.example", "Carol <CAROL@acme.example>.", "xcarol@acme.example", "carol@acme.example2"]
    record(Fact("customer.noted", ticket.pk, Actor.agent(company.grace), data={"told": said, "number": 7}), at=at)
    assert forgetting.forget(["carol@acme.example", "+7"], [ticket.pk]) == 1
    told = Event.objects.get(kind="customer.noted").data
    assert told == {"told": ["…", "Carol <…>.", "xcarol@acme.example", "carol@acme.example2"], "number": 7}
    assert forgetting.forget([], [ticket.pk]) == forgetting.forget(["carol@acme.example"], []) == 0


def test_of_the_audit_log_only_what_it_tells_of_customers(company: Company, at: datetime) -> None:
    kept = audit.record(company.ada.pk, "changed", company.grace, {"name": "A"}, {"name": "B"}, at=at)
    told = audit.record(company.ada.pk, "changed", company.carol, {"name": "Carol"}, {"name": "C"}, at=at)
    assert kept and told
    audit.forget(company.carol.pk)
    told.refresh_from_db()
    assert (told.name, told.before, told.after, told.actor) == ("…", {"name": "…"}, {"name": "…"}, company.ada)
    with forgetting_customers():
        for row, change in ((kept, {"name": "x"}), (told, {"action": "x"}), (told, {"thing_id": 1})):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                AuditEntry.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=told.pk).update(name="x")
