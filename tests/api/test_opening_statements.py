"""What opening a conversation costs: its statements are counted, so that none comes back unseen."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.conversations.models import Conversation
from helpdesk.sla.models import Clock
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db

KNOWN = ["owner_of_token", "find_customer", "planned_promises", "first_rows", "record_events", "conversation_row"]


def _opened(caller: Caller, **body: Any) -> tuple[dict[str, Any], list[str]]:
    """The answer, and the statements it took by their names."""
    with CaptureQueriesContext(connection) as asked:
        response = caller("post", "/conversations/", {"text": "The site is slow", **body})
    assert response.status_code == 201, response.content
    statements = [query["sql"].split("(")[0] for query in asked.captured_queries]
    return response.json(), [s.removeprefix("EXECUTE ") for s in statements if "SAVEPOINT" not in s]


def test_six_statements_and_one_for_a_new_customer(grace: Caller) -> None:
    customer = {"email": "new@nowhere.example", "name": "New"}
    _opened(grace, customer={"email": "first@nowhere.example"})  # calendars are read once
    _, first = _opened(grace, customer=customer)
    assert first == [*KNOWN[:2], "make_customer", *KNOWN[2:]]
    _, second = _opened(grace, customer=customer)
    assert second == KNOWN


def test_the_answer_is_what_is_read_afterwards(grace: Caller) -> None:
    given = {"customer": {"email": "carol@acme.example"}, "tags": ["One", "two"], "subject": "Slow", "priority": "high"}
    opened, _ = _opened(grace, **given)
    assert grace("get", f"/conversations/{opened['id']}/").json() == opened
    assert {"one", "two"} <= set(opened["tags"])


def test_the_earliest_due_is_written_with_the_conversation(grace: Caller) -> None:
    opened, _ = _opened(grace, customer={"email": "new@nowhere.example"})
    conversation = Conversation.objects.get(pk=opened["id"])
    dues = Clock.objects.filter(conversation=conversation).values_list("due_at", flat=True)
    assert conversation.next_due_at == min(due for due in dues if due)


def test_clocks_started_later_move_the_earliest_due(grace: Caller, at: datetime) -> None:
    opened, _ = _opened(grace, customer={"email": "new@nowhere.example"})
    clocks = Clock.objects.filter(conversation=opened["id"])
    first = clocks.order_by("due_at")[0]
    first.pk, first.target, first.due_at = None, "next_response", at.replace(year=2025)
    first.save(force_insert=True)
    assert Conversation.objects.get(pk=opened["id"]).next_due_at == at.replace(year=2025)
