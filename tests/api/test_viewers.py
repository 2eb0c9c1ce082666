"""Viewers by API: they read, write notes, and say how they want to be called; the rest is refused."""

from uuid import uuid4

import pytest

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from tests.api.conftest import Caller
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(company: Company, grace: Caller) -> Caller:
    User.objects.filter(pk=company.grace.pk).update(role=User.Role.VIEWER)
    return grace


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/conversations/"),
        ("patch", "/conversations/{pk}/"),
        ("post", "/conversations/{pk}/merge/"),
        ("post", "/conversations/{pk}/split/"),
        ("post", "/conversations/{pk}/links/"),
        ("delete", "/conversations/{pk}/links/"),
        ("post", "/customers/"),
        ("post", "/teams/"),
    ],
)
def test_refused(method: str, path: str, viewer: Caller, conversation: Conversation) -> None:
    assert viewer(method, path.format(pk=conversation.pk), {}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/conversations/", "/conversations/{pk}/", "/conversations/{pk}/messages/", "/customers/", "/teams/"]
)
def test_read(path: str, viewer: Caller, conversation: Conversation) -> None:
    assert viewer("get", path.format(pk=conversation.pk)).status_code == 200


def test_notes_only(viewer: Caller, conversation: Conversation) -> None:
    path = f"/conversations/{conversation.pk}/messages/"

    note = viewer("post", path, {"kind": "note", "text": "Seen", "client_id": str(uuid4())})
    reply = viewer("post", path, {"kind": "outbound", "text": "Hello", "client_id": str(uuid4())})

    assert (note.status_code, reply.status_code) == (201, 403)
    assert viewer("get", "/notification-rules/").status_code == 200
