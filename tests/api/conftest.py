"""Callers of the API, and a conversation to call about."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers import actions as customers
from helpdesk.customers.models import User
from tests.fixtures.company import Company

API = "/api/v1"


class Caller:
    """A script with the token of an agent."""

    def __init__(self, user: User | None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {}
        if user is not None:
            self.headers = {"Authorization": f"Token {customers.create_token(user, at=timezone.now())}"}

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The response to a call below /api/v1, which the schema must know of; `body` is sent as JSON."""
        send: Callable[..., Any] = getattr(self.client, method)
        address = path if path.startswith("/api") else f"{API}{path}"
        if method in ("get", "head"):
            answer = send(address, query, headers=self.headers)
        else:
            answer = send(address, body, content_type="application/json", headers=self.headers, query_params=query)
        known = documented(method, answer)
        assert known is None or str(answer.status_code) in known, (method, address, answer.status_code, answer.content)
        return answer


def documented(method: str, answer: Any) -> set[str] | None:
    """The statuses that the schema names for what gave this answer; None where it speaks of no such operation."""
    found = answer.resolver_match
    return None if found is None else _statuses().get((_parts(f"/{found.route}"), method))


@cache
def _statuses() -> dict[tuple[str, str], set[str]]:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call]
    return {
        (_parts(path), method): set(operation["responses"])
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def _parts(path: str) -> str:
    """An address as routes and schema write it, alike: whatever varies in it is `{}`."""
    return re.sub(r"\(\?P<\w+>(?:\[[^\]]*\]|[^()])*\)|<[^<>]*>|\{\w+\}", "{}", path).replace("^", "").replace("$", "")


@pytest.fixture
def ada(company: Company) -> Caller:
    """An admin."""
    return Caller(company.ada)


@pytest.fixture
def grace(company: Company) -> Caller:
    """An agent."""
    return Caller(company.grace)


@pytest.fixture
def stranger(company: Company) -> Caller:
    """Nobody we know."""
    return Caller(None)


@pytest.fixture
def conversation(company: Company, at: datetime) -> Conversation:
    """Carol's shop is slow."""
    message = conversations.receive_message(
        conversations.Inbound(
            channel="email",
            customer=company.carol,
            at=at,
            subject="Shop is slow",
            text="Our shop on acme.example is slow.",
        )
    )
    return Conversation.objects.get(pk=message.conversation_id)
