"""The visitors' HTTP interface: conversations, messages, reading and rating, and who may chat live."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils.timezone import now

from chat.models import Chat, Widget
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from tests.chat.visiting import begin, call, say, signed, stranger
from tests.fixtures.company import Company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]


def test_what_is_sent_again_is_filed_once(company: Company) -> None:
    session, cid = stranger(), str(uuid4())
    first, again = begin(session, cid=cid), begin(session, cid=cid)

    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["dup"], again.json()["dup"]) == (False, True)
    conversation = first.json()["conv"]
    assert again.json()["conv"] == conversation and again.json()["id"] == first.json()["id"]
    first, again = say(session, conversation, cid=cid), say(session, conversation, cid=cid)
    # The first words' id is one of this conversation: what bears it is known.
    assert [first.json()["dup"], again.json()["dup"], Message.objects.filter(kind="inbound").count()] == [True, True, 1]
    cid = str(uuid4())
    first, again = say(session, conversation, cid=cid), say(session, conversation, "Other words", cid=cid)
    assert first.json()["seq"] == again.json()["seq"] and again.json()["dup"]
    assert Message.objects.filter(kind="inbound").count() == 2


def test_the_thread_pages_backwards(company: Company) -> None:
    session = stranger()
    conversation = begin(session, "0").json()["conv"]
    for number in range(1, 6):
        say(session, conversation, str(number))

    path = f"conversations/{conversation}/thread"
    last = call("get", path, {"limit": "2"}, session).json()
    earlier = call("get", path, {"limit": "2", "before": str(last["items"][0]["seq"])}, session).json()

    assert [one["d"]["text"] for one in earlier["items"] + last["items"]] == ["2", "3", "4", "5"]
    assert last["head"] == last["items"][-1]["seq"]
    assert call("get", path, {"limit": "many"}, session).status_code == 400


def test_anothers_conversation_is_not_there(company: Company) -> None:
    conversation = begin(stranger()).json()["conv"]
    other = stranger()
    begin(other)

    paths = [f"conversations/{one}" for one in (conversation, uuid4())]
    answers = [call("get", f"{path}/thread", session=other) for path in paths]
    for name, body in (("messages", {"cid": str(uuid4()), "text": "x"}), ("read", {"upto": 1}), ("end", {})):
        answers += [call("POST", f"{path}/{name}", body, other) for path in paths]
    answers += [call("POST", f"{path}/csat", {"score": 5}, other) for path in paths]

    assert {answer.status_code for answer in answers} == {404}
    assert call("get", f"conversations/{conversation}/thread").status_code == 401


def test_reading_and_rating(company: Company) -> None:
    session = stranger()
    began = begin(session).json()
    path = f"conversations/{began['conv']}"

    assert call("POST", f"{path}/read", {"upto": 10**30}, session).status_code == 204
    assert Chat.objects.get().visitor_read == began["seq"]
    for bad in (-1, True, "1", None, 1.5):
        assert call("POST", f"{path}/read", {"upto": bad}, session).status_code == 422
    for bad in (0, 6, True, "5", None):
        assert call("POST", f"{path}/csat", {"score": bad}, session).status_code == 422
    unanswered = call("POST", f"{path}/csat", {"score": 5}, session)
    assert (unanswered.status_code, unanswered.json()["code"]) == (409, "unanswered")
    conversations.reply(Chat.objects.get().pk, company.grace, "Hello", at=now())
    assert call("POST", f"{path}/csat", {"score": 2}, session).status_code == 204
    assert call("POST", f"{path}/csat", {"score": 4, "comment": "Thanks"}, session).status_code == 204
    assert Chat.objects.get().conversation.rating.score == 4


@pytest.mark.parametrize(
    ("email", "live"),
    [
        ("uma@umbrella.example", True),
        ("gil@globex.example", True),
        ("ivy@initech.example", True),
        ("carol@acme.example", False),
    ],
)
def test_live_chat_by_the_plan_of_each_customer(shop: Widget, at: datetime, email: str, live: bool) -> None:
    session = signed(at, email)

    answer = begin(session)

    if live:
        assert (answer.status_code, answer.json()["mode"]) == (201, "chat")
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "entitle")
        assert answer.json()["offer"] == ["schedule", "ticket"]
        assert not Chat.objects.exists()
        assert begin(session, mode="ticket").json()["mode"] == "ticket"


def test_the_first_days_end(shop: Widget, at: datetime) -> None:
    with time_machine.travel(at + timedelta(days=45), tick=False):
        answer = begin(signed(at + timedelta(days=45), "ivy@initech.example"))

    assert (answer.status_code, answer.json()["offer"]) == (403, ["schedule", "ticket"])


def test_who_names_anothers_address_gets_no_more_than_they_have(company: Company) -> None:
    answer = begin(stranger(), form={"email": "carol@acme.example"})

    assert (answer.status_code, answer.json()["code"]) == (403, "entitle")
