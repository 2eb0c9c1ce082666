"""What the visitors' HTTP interface refuses: files, what is no JSON, fields, and too much of anything."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from chat import limits
from chat.models import Chat, Widget
from helpdesk.conversations.models import Attachment, Message
from tests.chat.visiting import begin, call, opened, say, stranger
from tests.fixtures.company import Company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]


def upload(session: str, name: str, content: bytes, kind: str = "application/octet-stream") -> Any:
    file = SimpleUploadedFile(name, content, content_type=kind)
    return Client().post("/chat/api/uploads", {"file": file}, headers={"Authorization": f"Bearer {session}"})


def test_visitors_read_why_in_their_language(company: Company) -> None:
    Widget.objects.update(only_verified=True)
    session = opened(lang="de-AT").json()["session"]

    refused = call("POST", "bookings", {"cid": str(uuid4()), "starts_at": 1768300000000, "topic": "x"}, session)
    assert (refused.json()["code"], refused.json()["detail"]) == (
        "sign",
        _in_german("Please log in on this page first."),
    )
    forged = opened("a.b.c", lang="de").json()
    assert forged["says"] and "token" not in forged["says"], "the developer's words are no customer's"
    assert "token" in forged["detail"]


def _in_german(words: str) -> str:
    with translation.override("de"):
        return translation.gettext(words)


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
    bearer = {"Authorization": f"Bearer {session}"}
    for kind, body in (("", b"x"), ("; boundary=q", b"--q\r\nContent-Disposition: form-data; name=" + b"x" * 5000)):
        broken = Client().generic("POST", "/chat/api/uploads", body, f"multipart/form-data{kind}", headers=bearer)
        assert (broken.status_code, broken.json()["code"]) == (400, "file")
    assert Client().post("/chat/api/uploads").status_code == 401
    assert begin(session, "six", files=[str(uuid4())] * 6).status_code == 422


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
