"""The visitors' HTTP interface: sessions, who is vouched for, conversations, messages, files, and what is refused."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chat import limits
from chat.models import Chat, Visit, Widget, WidgetSecret
from helpdesk.conversations.models import Attachment, Message
from helpdesk.events import secrets
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db
KEY = "pk_demo"
SECRET, OTHER_SECRET = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def monday(company: Company, at: datetime) -> Iterator[None]:
    limits.forget()
    with time_machine.travel(at, tick=False):
        yield


@pytest.fixture
def shop(company: Company, at: datetime) -> Widget:
    """The demo widget, with a secret."""
    widget = Widget.objects.get(key=KEY)
    WidgetSecret.objects.create(widget=widget, kid="k1", sealed=secrets.encrypt(SECRET), created_at=at)
    return widget


def token(at: datetime, *, secret: str = SECRET, kid: str | None = "k1", **claims: Any) -> str:
    """As a page's server signs it."""
    seconds = int(at.timestamp())
    body = {"aud": KEY, "sub": "u1", "iat": seconds, "exp": seconds + 300, "email": "uma@umbrella.example"} | claims
    given = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(given, secret, algorithm="HS256", headers=None if kid is None else {"kid": kid})


def call(method: str, path: str, body: Any = None, session: str = "") -> Any:
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    if method == "get":
        return Client().get(f"/chat/api/{path}", body, headers=headers)
    return Client().generic(
        method, f"/chat/api/{path}", json.dumps(body), content_type="application/json", headers=headers
    )


def opened(user: Any = None, session: str = "", **more: Any) -> Any:
    return call("POST", "session", {"key": KEY, "user": user, **more}, session)


def stranger() -> str:
    session: str = opened().json()["session"]
    return session


def signed(at: datetime, email: str) -> str:
    answer = opened(token(at, sub=email, email=email))
    assert answer.status_code == 201, answer.content
    session: str = answer.json()["session"]
    return session


def begin(session: str, text: str = "Hello", **more: Any) -> Any:
    return call("POST", "conversations", {"cid": str(uuid4()), "text": text, **more}, session)


def say(session: str, conversation: str, text: str = "More", **more: Any) -> Any:
    body = {"cid": str(uuid4()), "text": text, **more}
    return call("POST", f"conversations/{conversation}/messages", body, session)


# Who somebody is.


def test_a_stranger_is_nobodys_customer_until_they_write(company: Company) -> None:
    session = stranger()

    assert Visit.objects.get().customer is None
    begin(session)
    assert Visit.objects.get().customer is not None


def test_a_signed_customer_is_who_the_page_says(company: Company, shop: Widget, at: datetime) -> None:
    answer = opened(token(at)).json()

    assert answer["me"] == {"verified": True, "name": "Uma Singh", "email": "uma@umbrella.example"}
    assert Visit.objects.get().customer == company.uma


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("forged", {"secret": OTHER_SECRET}),
        ("unknown kid", {"kid": "k9"}),
        ("for another widget", {"aud": "pk_other"}),
        ("for none", {"aud": None}),
        ("of nobody", {"sub": None}),
        ("of an empty id", {"sub": ""}),
        ("expired", {"iat": 1000, "exp": 1300}),
        ("without an end", {"exp": None}),
        ("good for too long", {"exp": 4102444800}),
        ("an id that is no text", {"email": 7}),
    ],
)
def test_a_token_that_does_not_hold_is_refused(shop: Widget, at: datetime, why: str, change: dict[str, Any]) -> None:
    answer = opened(token(at, **change))

    assert (answer.status_code, answer.json()["code"]) == (401, "signature"), why
    assert not Visit.objects.exists()


def test_without_a_signature_a_token_proves_nothing(shop: Widget, at: datetime) -> None:
    claims = {"aud": KEY, "sub": "u1", "iat": int(at.timestamp()), "exp": int(at.timestamp()) + 60}
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"})
    other = jwt.encode(claims, "c" * 64, algorithm="HS512", headers={"kid": "k1"})
    same_secret = jwt.encode(claims, SECRET * 2, algorithm="HS512", headers={"kid": "k1"})

    given: list[Any] = [unsigned, other, same_secret, "x.y.z", "", 7, [], {}]
    assert [opened(one).status_code for one in given] == [401] * len(given)


def test_two_secrets_hold_while_one_replaces_the_other(shop: Widget, at: datetime) -> None:
    new = WidgetSecret.objects.create(widget=shop, kid="k2", sealed=secrets.encrypt(OTHER_SECRET), created_at=at)
    by_new = token(at, secret=OTHER_SECRET, kid="k2")

    assert opened(token(at)).status_code == opened(by_new).status_code == 201
    # Which of two it is must be said.
    assert opened(token(at, kid=None)).status_code == 401
    shop.secrets.exclude(pk=new.pk).delete()
    assert opened(token(at)).status_code == 401
    assert opened(token(at, secret=OTHER_SECRET, kid=None)).status_code == 201


def test_a_hash_vouches_for_the_id_and_nothing_else(shop: Widget) -> None:
    proof = hmac.new(SECRET.encode(), b"u7", hashlib.sha256).hexdigest()

    answer = opened({"id": "u7", "hash": proof, "email": "uma@umbrella.example"}).json()
    assert answer["me"] == {"verified": True, "name": "", "email": ""}
    assert opened({"id": "u8", "hash": proof}).status_code == 401
    assert opened({"id": "u7", "hash": ""}).status_code == 401


def test_a_session_that_ended_opens_nothing(company: Company) -> None:
    session = stranger()

    assert call("get", "conversations", session=session).status_code == 200
    assert call("DELETE", "session", session=session).status_code == 204
    assert call("get", "conversations", session=session).status_code == 401
    assert call("get", "conversations", session="x" * 5000).status_code == 401


def test_what_a_stranger_began_is_theirs_after_they_sign_in(company: Company, shop: Widget, at: datetime) -> None:
    before = stranger()
    cid = str(uuid4())
    conversation = begin(before, cid=cid).json()["conv"]

    session = opened(token(at), session=before).json()["session"]

    assert call("get", "conversations", session=before).status_code == 401
    listed = call("get", "conversations", session=session).json()["conversations"]
    assert [one["conv"] for one in listed] == [conversation]
    assert Chat.objects.get().conversation.customer == company.uma
    # The answer to the first message got lost: sent again from the new session it is the same one.
    again = begin(session, cid=cid)
    assert (again.status_code, again.json()["conv"], Chat.objects.count()) == (200, conversation, 1)


# Conversations and messages.


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
    assert call("POST", f"{path}/csat", {"score": 2}, session).status_code == 204
    assert call("POST", f"{path}/csat", {"score": 4, "comment": "Thanks"}, session).status_code == 204
    assert Chat.objects.get().conversation.rating.score == 4


# Who may chat live.


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


# Files.


def upload(session: str, name: str, content: bytes, kind: str = "application/octet-stream") -> Any:
    file = SimpleUploadedFile(name, content, content_type=kind)
    return Client().post("/chat/api/uploads", {"file": file}, headers={"Authorization": f"Bearer {session}"})


def test_a_file_goes_with_the_message_that_names_it_once(company: Company) -> None:
    session = stranger()
    sent = upload(session, "log.txt", b"all is well", "text/plain").json()

    conversation = begin(session, "", files=[sent["id"]]).json()["conv"]
    say(session, conversation, "again", files=[sent["id"]])

    assert [(file.name, file.size) for file in Attachment.objects.all()] == [("log.txt", 11)]


def test_anothers_file_cannot_be_named(company: Company) -> None:
    sent = upload(stranger(), "log.txt", b"secret").json()

    assert begin(stranger(), "", files=[sent["id"]]).status_code == 422
    assert not Attachment.objects.exists()


def test_files_that_are_refused(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    session = stranger()

    assert upload(session, "setup.exe", b"MZ").status_code == 415
    assert upload(session, "holiday.JPG.SCR", b"x").status_code == 415
    monkeypatch.setattr("chat.welcome.MOST_BYTES", 10)
    answer = upload(session, "long.txt", b"x" * 11)
    assert (answer.status_code, answer.json()["most"]) == (413, 10)
    nothing = Client().post("/chat/api/uploads", headers={"Authorization": f"Bearer {session}"})
    assert nothing.status_code == 422
    assert Client().post("/chat/api/uploads").status_code == 401
    assert begin(session, "six", files=[str(uuid4())] * 6).status_code == 422


# What is refused.


def raw(path: str, body: bytes, session: str = "") -> int:
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    status: int = Client().generic("POST", path, body, content_type="application/json", headers=headers).status_code
    return status


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"7",
        b'"text"',
        b"\xff\xfe{}",
        b"[" * 20_000,
        b'{"a":' * 10_000,
        b'{"n": ' + b"1" * 5000 + b"}",
        b'{"text": "\\ud800"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"key": "\\udfff"}',
    ],
)
def test_what_is_no_json_is_refused(company: Company, body: bytes) -> None:
    assert raw("/chat/api/session", body) == 400
    assert raw("/chat/api/conversations", body, stranger()) == 400


def test_characters_beyond_the_basic_plane_may_be_escaped(company: Company) -> None:
    session = stranger()
    body = json.dumps({"cid": str(uuid4()), "text": "fine 😀\x00"}).encode()
    assert b"\\ud83d" in body

    assert raw("/chat/api/conversations", body, session) == 201
    assert Message.objects.get(kind="inbound").text == "fine 😀"


def test_fields_that_are_refused(company: Company) -> None:
    session = stranger()

    assert raw("/chat/api/session", b'{"key": "' + b"x" * 70_000 + b'"}') == 413
    assert opened(key="pk_nobody").status_code == 404
    for bad in ({"text": 7}, {"text": "x" * 10_001}, {"cid": "7"}, {"cid": None}, {"files": {"a": 1}}, {"form": [1]}):
        assert begin(session, **bad).status_code == 422, bad
    assert begin(session, "").status_code == 422
    assert begin(session, form={"email": "a@b.example, c@d.example"}).status_code == 422
    assert call("PUT", "session", {}).status_code == 405
    assert not Chat.objects.exists()


def test_too_much_is_refused_with_when_it_goes_on(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MESSAGES_OF_VISIT", limits.Limit(3, 0.5))
    session = stranger()
    conversation = begin(session).json()["conv"]

    answers = [say(session, conversation) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[-1].json()["code"] == "rate" and int(answers[-1].headers["Retry-After"]) >= 1


def test_sending_the_same_again_is_no_flood(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHATS_OF_VISIT", limits.Limit(2, 0.0001))
    session, cid = stranger(), str(uuid4())

    assert [begin(session, cid=cid).status_code for _ in range(5)] == [201, 200, 200, 200, 200]
    assert [begin(session).status_code for _ in range(2)] == [201, 429]


def test_our_own_fault_is_not_counted(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHATS_OF_VISIT", limits.Limit(1, 0.0001))
    session = stranger()

    def broken(*_given: Any, **_more: Any) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr("chat.chats.start", broken)
        for _ in range(3):
            with pytest.raises(OSError, match="disk"):
                begin(session)
    assert begin(session).status_code == 201
