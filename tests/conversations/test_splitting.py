"""Splitting a conversation: what moves, what stays, and which promises each side is left with."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import splitting
from helpdesk.conversations.models import Conversation, ConversationLink, Message
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.oncall import audit
from helpdesk.sla import sweep
from helpdesk.sla.models import Clock, Target
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def hears(company: Company, at: datetime, text: str, conversation: int | None = None, **fields: Any) -> Message:
    inbound = conversations.Inbound(
        channel="email",
        customer=company.carol,
        at=at,
        subject="Shop is slow",
        text=text,
        conversation_id=conversation,
        **fields,
    )
    return conversations.receive_message(inbound)


def open_clocks(conversation: Conversation) -> dict[str, datetime]:
    found = Clock.objects.filter(conversation=conversation, met_at=None, cancelled_at=None)
    return dict(found.values_list("target", "started_at"))


def numbers(conversation_id: int) -> tuple[list[int | None], list[int | None]]:
    events = Event.objects.filter(conversation=conversation_id).order_by("seq")
    seqs, publics = list(events.values_list("seq", flat=True)), list(events.values_list("public_seq", flat=True))
    return seqs, [number for number in publics if number is not None]


@pytest.fixture
def talk(company: Company, at: datetime) -> list[Message]:
    """Carol asks, Grace answers, Carol asks for something else, with a file; Grace notes."""
    first = hears(company, at, "Our shop is slow.")
    pk = first.conversation_id
    answer = conversations.reply(pk, company.grace, "We look.", at=at + HOUR)
    file = conversations.File(name="dns.txt", content_type="text/plain", content=b"www CNAME")
    other = hears(company, at + 2 * HOUR, "Also: please move backup.globex.example.", pk, files=(file,))
    note = conversations.note(pk, company.grace, "That is another matter.", at=at + 3 * HOUR)
    return [first, answer, other, note]


def test_messages_and_files_move_and_events_stay(company: Company, at: datetime, talk: list[Message]) -> None:
    first, answer, other, note = talk
    bob = company.ivy
    source = Conversation.objects.get(pk=first.conversation_id)
    source.followers.add(bob)
    before = list(Event.objects.filter(conversation=source).values_list("pk", "seq", "public_seq"))
    new = conversations.split(source.pk, [other.pk, note.pk], company.grace, at=at + 4 * HOUR, subject="Backup")
    source.refresh_from_db()
    assert list(new.messages.order_by("pk")) == [other, note]
    assert list(source.messages.order_by("pk")) == [first, answer]
    assert new.messages.get(pk=other.pk).attachments.get().name == "dns.txt"
    assert (new.subject, new.customer, new.organization) == ("Backup", source.customer, source.organization)
    assert (new.assignee, new.team, new.priority, new.status) == (company.grace, source.team, source.priority, "open")
    assert list(new.followers.all()) == [bob]
    assert new.opened_at == new.last_message_at == other.at and new.preview.startswith("Also")
    assert source.preview == "We look." and source.last_message_at == answer.at and source.updated_at == at + 4 * HOUR
    moved = [other.pk, note.pk]
    split, split_off = source.events.latest("seq"), new.events.get()
    assert split.kind == "conversation.split" and split.data == {"into": new.pk, "messages": moved}
    assert split_off.kind == "conversation.split_off" and split_off.data == {"from": source.pk, "messages": moved}
    assert split.actor == split_off.actor == company.grace
    assert list(Event.objects.filter(conversation=source).values_list("pk", "seq", "public_seq"))[:-1] == before
    for conversation in (source, new):
        conversation.refresh_from_db()
        seqs, publics = numbers(conversation.pk)
        assert seqs == list(range(1, conversation.last_seq + 1))
        assert publics == list(range(1, conversation.last_public_seq + 1))
    link = ConversationLink.objects.get()
    assert (link.kind, link.conversation, link.other) == ("split", source, new)


def test_the_new_one_is_promised_what_its_first_message_was_and_the_old_one_owes_it_no_more(
    company: Company, at: datetime, talk: list[Message]
) -> None:
    source = talk[0].conversation
    assert open_clocks(source) == {Target.NEXT_RESPONSE: at + 2 * HOUR}
    new = conversations.split(source.pk, [talk[2].pk], company.grace, at=at + 5 * HOUR)
    assert open_clocks(source) == {}
    assert open_clocks(new) == {Target.FIRST_RESPONSE: at + 2 * HOUR}
    dispatch = Clock.objects.get(conversation=new, target=Target.DISPATCH)
    assert (dispatch.started_at, dispatch.met_at) == (at + 2 * HOUR, at + 2 * HOUR), "Grace had it when it came"
    source.refresh_from_db()
    new.refresh_from_db()
    assert source.next_due_at is None and new.next_due_at == at + 24 * HOUR + 2 * HOUR


def test_what_nobody_has_taken_keeps_counting_and_breaks(company: Company, at: datetime) -> None:
    first = hears(company, at, "One.")
    second = hears(company, at + timedelta(minutes=5), "Two.", first.conversation_id)
    new = conversations.split(first.conversation_id, [second.pk], company.ada, at=at + 3 * HOUR)
    assert new.status == "new" and new.assignee is None and new.dispatched_at is None
    started = at + timedelta(minutes=5)
    assert open_clocks(new) == {Target.DISPATCH: started, Target.FIRST_RESPONSE: started}
    assert open_clocks(first.conversation) == {Target.DISPATCH: at, Target.FIRST_RESPONSE: at}
    sweep.sweep(at=at + 3 * HOUR)
    sweep.sweep(at=at + 3 * HOUR)
    broken = Clock.objects.get(conversation=new, target=Target.DISPATCH)
    assert broken.breached_at is not None and new.events.filter(kind="clock.breached").exists()


def test_the_promise_goes_on_with_the_next_question(company: Company, at: datetime) -> None:
    first = hears(company, at, "One.")
    second = hears(company, at + HOUR, "Two.", first.conversation_id)
    new = conversations.split(first.conversation_id, [first.pk], company.ada, at=at + 2 * HOUR)
    assert open_clocks(new)[Target.FIRST_RESPONSE] == at
    assert open_clocks(first.conversation) == {Target.DISPATCH: at, Target.FIRST_RESPONSE: at + HOUR}
    assert Message.objects.get(pk=second.pk).conversation_id == first.conversation_id


def test_a_question_that_goes_with_its_answer_has_been_answered(
    company: Company, at: datetime, talk: list[Message]
) -> None:
    first, answer, other, _ = talk
    Message.objects.filter(pk=answer.pk).update(delivery="sent")
    new = conversations.split(first.conversation_id, [first.pk, answer.pk], company.grace, at=at + 4 * HOUR)
    met = Clock.objects.get(conversation=new, target=Target.FIRST_RESPONSE)
    assert met.met_at == answer.at and open_clocks(new) == {} and new.status == "pending"
    assert open_clocks(other.conversation) == {Target.NEXT_RESPONSE: at + 2 * HOUR}, "it is still owed its answer"


def test_our_own_words_alone_are_owed_nothing(company: Company, at: datetime, talk: list[Message]) -> None:
    Message.objects.filter(pk=talk[1].pk).update(delivery="sent")
    new = conversations.split(talk[0].conversation_id, [talk[1].pk], company.grace, at=at + 4 * HOUR)
    assert open_clocks(new) == {} and new.status == "pending" and new.opened_at == talk[1].at


def test_splitting_what_is_done_opens_it_again_as_its_own(company: Company, at: datetime, talk: list[Message]) -> None:
    source = talk[0].conversation
    changes = conversations.Changes(status="resolved")
    conversations.change(source.pk, changes, actor=Actor.agent(company.grace), at=at + 4 * HOUR)
    new = conversations.split(source.pk, [talk[2].pk], company.grace, at=at + 5 * HOUR)
    source.refresh_from_db()
    assert (source.status, new.status, new.resolved_at) == ("resolved", "open", None)
    assert open_clocks(new) == {Target.FIRST_RESPONSE: at + 2 * HOUR} and open_clocks(source) == {}


def test_services_are_those_of_the_words_that_went(company: Company, at: datetime) -> None:
    first = hears(company, at, "c01 is slow.")
    second = hears(company, at + HOUR, "And c02 needs a disk.", first.conversation_id)
    new = conversations.split(first.conversation_id, [second.pk], company.ada, at=at + HOUR, subject="Disk")
    assert [service.name for service in new.services.all()] == ["c02"]
    assert [tag.name for tag in new.tags.all()] == ["c02"]


def test_what_cannot_be_split_changes_nothing(company: Company, at: datetime, talk: list[Message]) -> None:
    first, answer, other, note = talk
    foreign = hears(company, at, "Elsewhere.")
    pk = first.conversation_id
    for chosen, words in (
        ([first.pk, answer.pk, other.pk, note.pk], "sent"),
        ([note.pk], "notes alone"),
        ([other.pk, foreign.pk], f"message {foreign.pk}"),
        ([other.pk, 987654], "message 987654"),
        ([answer.pk], "just being sent"),
        ([*range(1, 300)], "at most"),
    ):
        with pytest.raises(splitting.CannotSplit, match=words):
            conversations.split(pk, chosen, company.grace, at=at + 4 * HOUR)
    Message.objects.filter(pk=answer.pk).update(delivery="sent")
    with pytest.raises(splitting.CannotSplit, match="all that was said"):
        conversations.split(pk, [first.pk, answer.pk, other.pk], company.grace, at=at + 4 * HOUR)
    assert Conversation.objects.count() == 2 and not ConversationLink.objects.exists()
    assert not Event.objects.filter(kind__startswith="conversation.split").exists()


def test_parts_of_parts_are_found(company: Company, at: datetime) -> None:
    messages = [hears(company, at, "0")]
    pk = messages[0].conversation_id
    messages += [hears(company, at + timedelta(minutes=n), str(n), pk) for n in (1, 2, 3)]
    part = conversations.split(pk, [messages[1].pk, messages[2].pk], company.ada, at=at + HOUR)
    part_of_part = conversations.split(part.pk, [messages[2].pk], company.ada, at=at + HOUR)
    assert splitting.parts_of({pk}) == {part.pk, part_of_part.pk}
    assert splitting.parts_of({part.pk}) == {part_of_part.pk} and splitting.parts_of({part_of_part.pk}) == set()


def test_the_audit_finds_the_new_one_armed(company: Company, at: datetime) -> None:
    first = hears(company, at, "One.")
    second = hears(company, at, "Two.", first.conversation_id)
    new = conversations.split(first.conversation_id, [second.pk], company.grace, at=at)
    assert "unarmed_conversations" not in audit.overdue(at)
    Clock.objects.filter(conversation=new).delete()
    assert audit.overdue(at)["unarmed_conversations"] == 1


def test_the_database_knows_one_origin_and_no_link_to_itself(
    company: Company, at: datetime, talk: list[Message]
) -> None:
    here = talk[0].conversation_id
    others = [hears(company, at, text).conversation_id for text in ("a", "b")]
    ConversationLink.objects.create(kind="split", conversation_id=others[0], other_id=here, at=at)
    ConversationLink.objects.create(kind="parent", conversation_id=others[0], other_id=here, at=at)
    ConversationLink.objects.create(kind="related", conversation_id=others[0], other_id=here, at=at)
    for kind, one, other in (
        ("split", others[1], here),
        ("parent", others[1], here),
        ("parent", here, others[0]),
        ("related", here, others[0]),
        ("related", here, here),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ConversationLink.objects.create(kind=kind, conversation_id=one, other_id=other, at=at)
