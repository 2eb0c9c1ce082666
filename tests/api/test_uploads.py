"""Files with messages over the API: the forms' limits, types told from the bytes, one message a client id."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from helpdesk.conversations import uploads
from helpdesk.conversations.models import Attachment, Conversation, Message
from tests.api.conftest import API, Caller
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def upload(name: str, content: bytes, kind: str = "application/octet-stream") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type=kind)


def post(caller: Caller, conversation: Conversation, **fields: Any) -> Any:
    address = f"{API}/conversations/{conversation.pk}/messages/"
    return caller.client.post(address, {"kind": "outbound", **fields}, headers=caller.headers)


def test_files_come_along(grace: Caller, conversation: Conversation) -> None:
    files = [upload("../../etc/shell.png", PNG), upload("page.png", b"<html><script>x</script>", "image/png")]
    answer = post(grace, conversation, text="See these.", files=files)
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    assert shown["text"] == "See these." and shown["delivery"]["state"] == "pending"
    assert [(f["name"], f["content_type"], f["size"]) for f in shown["attachments"]] == [
        ("shell.png", "image/png", 28),
        ("page.png", "text/html", 24),
    ]
    saved: Any = grace("get", f"/attachments/{shown['attachments'][0]['id']}/content/")
    assert b"".join(saved.streaming_content) == PNG
    listed = grace("get", f"/conversations/{conversation.pk}/messages/").json()["results"][-1]
    assert listed == shown


def test_a_note_may_be_a_file_alone(grace: Caller, conversation: Conversation) -> None:
    answer = post(grace, conversation, kind="note", files=[upload("trace.txt", b"up")])
    assert answer.status_code == 201 and answer.json()["attachments"][0]["content_type"] == "text/plain"
    assert Message.objects.get(pk=answer.json()["id"]).kind == "note"
    for text in ("", " \n"):
        refused = post(grace, conversation, text=text)
        assert refused.status_code == 400 and refused.json()["text"]


def test_the_same_client_id_keeps_the_first_files(grace: Caller, conversation: Conversation) -> None:
    number = str(uuid.uuid4())
    first = post(grace, conversation, client_id=number, files=[upload("a.txt", b"a")])
    again = post(grace, conversation, client_id=number, files=[upload("b.txt", b"b")])
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert Attachment.objects.count() == 1


def test_the_limits_are_the_forms(grace: Caller, conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [upload(f"{n}.txt", b"x") for n in range(uploads.MOST_FILES + 1)]
    refused = post(grace, conversation, text="x", files=many)
    assert refused.status_code == 400 and refused.json()["files"]
    half = b"x" * (uploads.MOST_BYTES // 2 + 1)
    refused = post(grace, conversation, text="x", files=[upload("a", half), upload("b", half)])
    assert refused.status_code == 400 and "20 MB" in str(refused.json())
    monkeypatch.setattr("helpdesk.customers.api_multipart.LARGEST", 1000)
    refused = post(grace, conversation, text="x", files=[upload("a", b"x" * 1000)])
    assert refused.status_code == 413 and refused.json()["detail"]
    assert conversation.messages.count() == 1 and not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"no parts"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=text\r\n\r\n\x00\r\n--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nno\r\n--x--\r\n',
        ),
        ("multipart/form-data; boundary=" + "x" * 300, b"--"),
        (
            "multipart/form-data; boundary=x",
            b"".join(
                b'--x\r\nContent-Disposition: form-data; name="files"; filename="%d"\r\n\r\n.\r\n' % n
                for n in range(40)
            )
            + b"--x--\r\n",
        ),
    ],
    ids=range(6),
)
@pytest.mark.parametrize("by_session", [False, True])
def test_garbage_is_refused_with_a_reason(
    grace: Caller, company: Company, conversation: Conversation, kind: str, body: bytes, by_session: bool
) -> None:
    address, headers = f"{API}/conversations/{conversation.pk}/messages/", grace.headers
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    if by_session:
        client.force_login(company.grace)
        client.cookies["csrftoken"] = "a" * 32
        headers = {"X-CSRFToken": "a" * 32}
    answer = client.post(address, body, content_type=kind, headers=headers)
    assert answer.status_code in (400, 415) and answer["Content-Type"] == "application/json" and answer.json()
    assert conversation.messages.count() == 1
