"""Beside the thread: notes on the customer, copies, the checklist, time, links, merging, splitting, forwarding."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, ConversationLink, Message
from helpdesk.customers.models import Customer, Team
from helpdesk.events.actors import SYSTEM
from helpdesk.events.outbox import drain
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, picture, write
from tickets.desk.models import ChecklistItem, TimeEntry
from tickets.models import MailHeader, MailThread


@pytest.fixture
def conversation(company: Company, at: datetime) -> Conversation:
    return write(company.carol, at, files=(picture(),))


@pytest.fixture
def grace(company: Company) -> Client:
    return logged_in(company.grace)


def _path(conversation: Conversation, part: str = "") -> str:
    return f"/desk/conversations/{conversation.pk}/{part}"


def _page(browser: Client, conversation: Conversation) -> str:
    return browser.get(_path(conversation)).content.decode()


def test_notes_on_the_customer_do_not_overwrite_each_other(
    grace: Client, conversation: Conversation, company: Company
) -> None:
    grace.post(_path(conversation, "notes/"), {"notes": "Calls\r\nlate", "was_notes": ""})
    late = grace.post(_path(conversation, "notes/"), {"notes": "Mine", "was_notes": ""}, follow=True)

    assert Customer.objects.get(pk=company.carol.pk).notes == "Calls\nlate"
    assert "Somebody has changed these notes since. Yours were: Mine" in late.content.decode()
    grace.post(_path(conversation, "notes/"), {"notes": "", "was_notes": "Calls\r\nlate"})
    assert Customer.objects.get(pk=company.carol.pk).notes == ""


def test_somebody_is_put_in_copy_and_taken_out(grace: Client, conversation: Conversation) -> None:
    grace.post(_path(conversation, "followers/"), {"add": "Boss@acme.example; carol@acme.example"})
    page = _page(grace, conversation)
    assert "boss@acme.example" in page and "in copy from now on: boss@acme.example" in page

    person = conversation.followers.get(email="boss@acme.example")
    grace.post(_path(conversation, "followers/"), {"remove": person.pk})
    assert not conversation.followers.filter(pk=person.pk).exists()
    odd = grace.post(_path(conversation, "followers/"), {"add": "no address"}, follow=True)
    assert "is no mail address" in odd.content.decode()


def test_a_checklist(grace: Client, conversation: Conversation, company: Company) -> None:
    for text in ("First <b>", "Second", "  "):
        grace.post(_path(conversation, "checklist/"), {"add": text})
    first, second = ChecklistItem.objects.order_by("position")
    grace.post(_path(conversation, "checklist/"), {"done": first.pk})

    page = _page(grace, conversation)
    first.refresh_from_db()
    assert first.done_by == company.grace and "First &lt;b&gt;" in page and "1/2" in page
    grace.post(_path(conversation, "checklist/"), {"reopen": first.pk})
    grace.post(_path(conversation, "checklist/"), {"remove": second.pk})
    assert list(ChecklistItem.objects.values_list("text", "done_at")) == [("First <b>", None)]
    assert grace.post(_path(conversation, "checklist/"), {"done": "999999"}).status_code == 404


def test_an_item_belongs_to_its_conversation(
    grace: Client, conversation: Conversation, company: Company, at: datetime
) -> None:
    other = write(company.gil, at)
    grace.post(_path(other, "checklist/"), {"add": "Theirs"})

    answer = grace.post(_path(conversation, "checklist/"), {"remove": ChecklistItem.objects.get().pk})

    assert answer.status_code == 404 and ChecklistItem.objects.exists()


def test_time_is_noted_and_taken_back_by_its_owner(grace: Client, conversation: Conversation, company: Company) -> None:
    grace.post(_path(conversation, "time/"), {"minutes": "25", "note": "Logs"})
    grace.post(_path(conversation, "time/"), {"minutes": "40"})
    for odd in ("0", "-5", "x", "99999", "9" * 40):
        grace.post(_path(conversation, "time/"), {"minutes": odd})
    entry = TimeEntry.objects.get(note="Logs")

    conversation.refresh_from_db()
    assert conversation.minutes_spent == 65 and "1 h 5 min" in _page(grace, conversation)
    assert logged_in(company.ada).post(_path(conversation, "time/"), {"remove": entry.pk}).status_code == 404
    grace.post(_path(conversation, "time/"), {"remove": entry.pk})
    conversation.refresh_from_db()
    assert conversation.minutes_spent == 40


def test_links_are_made_shown_on_both_sides_and_taken_back(
    grace: Client, conversation: Conversation, company: Company, at: datetime
) -> None:
    other = write(company.gil, at, subject="The other one")

    grace.post(_path(conversation, "links/"), {"relation": "child", "other": f"#{other.pk}"})
    assert "Has a part" in _page(grace, conversation) and "Part of" in _page(grace, other)
    circle = grace.post(_path(other, "links/"), {"relation": "child", "other": conversation.pk}, follow=True)
    assert "is above" in circle.content.decode()
    grace.post(_path(other, "links/"), {"relation": "parent", "other": conversation.pk, "remove": "1"})
    assert not ConversationLink.objects.exists()


def test_what_one_may_not_see_is_neither_linked_nor_named(
    grace: Client, conversation: Conversation, company: Company, at: datetime
) -> None:
    hidden = write(company.carol, at, subject="Top secret")
    conversations.relate(conversation.pk, "related", hidden.pk, company.ada, at=at)
    Conversation.objects.filter(pk=hidden.pk).update(team=Team.objects.create(name="Secret", is_private=True))

    assert "Top secret" not in _page(grace, conversation)
    assert "Top secret" in _page(logged_in(company.ada), conversation)
    found = grace.get(_path(conversation, "merge/"), {"q": str(hidden.pk), "into": str(hidden.pk)}).content.decode()
    assert "Top secret" not in found
    assert grace.post(_path(conversation, "merge/"), {"into": hidden.pk}).status_code == 404


def test_merging_finds_shows_both_and_merges(
    grace: Client, conversation: Conversation, company: Company, at: datetime
) -> None:
    other = write(company.gil, at, subject="The very same trouble")

    for words in (str(other.pk), f"#{other.pk}", "same trouble"):
        assert "The very same trouble" in grace.get(_path(conversation, "merge/"), {"q": words}).content.decode()
    both = grace.get(_path(conversation, "merge/"), {"into": other.pk}).content.decode()
    assert f"Merge #{conversation.pk} into #{other.pk}" in both
    answer = grace.post(_path(conversation, "merge/"), {"into": other.pk})

    conversation.refresh_from_db()
    assert answer["Location"] == _path(other) and conversation.merged_into == other
    assert "Merged into this" in _page(grace, other)
    again = grace.post(_path(conversation, "merge/"), {"into": other.pk}, follow=True)
    assert "already" in again.content.decode()


def test_splitting_moves_what_was_chosen(grace: Client, conversation: Conversation, at: datetime) -> None:
    reply = conversations.receive_message(
        conversations.Inbound(
            channel="email", customer=conversation.customer, at=at, text="And DNS?", conversation_id=conversation.pk
        )
    )

    assert "And DNS?" in grace.get(_path(conversation, "split/")).content.decode()
    answer = grace.post(_path(conversation, "split/"), {"messages": [reply.pk], "subject": "DNS"})

    new = Conversation.objects.latest("pk")
    assert answer["Location"] == _path(new) and new.subject == "DNS"
    assert "Split off from" in _page(grace, new)
    none = grace.post(_path(conversation, "split/"), {"messages": []}, follow=True)
    assert "notes alone are no request" in none.content.decode()


def test_a_message_is_forwarded_with_its_files_and_recorded(
    grace: Client, conversation: Conversation, company: Company, at: datetime
) -> None:
    first = Message.objects.get(conversation=conversation)
    path = f"/desk/messages/{first.pk}/forward/"
    assert "&gt; It is broken." in grace.get(path).content.decode()
    before = conversation.status

    grace.post(path, {"to": "dc@colo.example", "text": "Please **look**", "files": [first.attachments.get().pk]})
    drain(now())

    sent = Message.objects.get(via="forward")
    conversation.refresh_from_db()
    assert (sent.delivery, sent.agent, conversation.status) == ("sent", company.grace, before)
    assert MailHeader.objects.get(message=sent).to == ["dc@colo.example"]
    source = grace.get(f"/desk/messages/{sent.pk}/source/").content.decode()
    assert "To: dc@colo.example" in source and "Subject: Fwd: Broken" in source and "picture.png" in source
    mailbox = MailThread.objects.get(conversation=conversation).mailbox.address
    assert f"Reply-To: {mailbox}" in source and "carol@" not in source.split("\n\n")[0]
    assert "the customer does not get this" in _page(grace, conversation)


def test_a_note_is_never_forwarded_but_what_was_said_before_it(
    grace: Client, conversation: Conversation, company: Company, at: datetime
) -> None:
    note = conversations.note(conversation.pk, company.ada, "Between us: they are late payers.", at=at)

    shown = grace.get(f"/desk/messages/{note.pk}/forward/").content.decode()

    assert "&gt; It is broken." in shown and "late payers" not in shown
    Message.objects.filter(conversation=conversation).exclude(pk=note.pk).delete()
    assert grace.get(f"/desk/messages/{note.pk}/forward/").status_code == 404


@pytest.mark.parametrize(
    "to", ["", "nonsense", "support@demo.example", ", ".join(f"a{n}@b.example" for n in range(11))]
)
def test_nobody_to_forward_to(to: str, grace: Client, conversation: Conversation) -> None:
    path = f"/desk/messages/{Message.objects.get(conversation=conversation).pk}/forward/"

    answer = grace.post(path, {"to": to, "text": "Kept"})

    assert answer.status_code == 422 and "Kept</textarea>" in answer.content.decode()
    assert not Message.objects.filter(via="forward").exists()


def test_paper_shows_notes_only_where_asked(
    grace: Client, conversation: Conversation, company: Company, at: datetime
) -> None:
    conversations.note(conversation.pk, company.grace, "Between us", at=at)

    assert "Between us" not in grace.get(_path(conversation, "print/")).content.decode()
    assert "Between us" in grace.get(_path(conversation, "print/?notes=1")).content.decode()


def test_tags_are_suggested(grace: Client, conversation: Conversation) -> None:
    conversations.change(
        conversation.pk,
        conversations.Changes(tags=["dns", "disk", "mail"]),
        actor=SYSTEM,
        at=conversation.opened_at,
    )

    assert [tag["name"] for tag in grace.get("/desk/tags/?q=D").json()["results"]] == ["disk", "dns"]
