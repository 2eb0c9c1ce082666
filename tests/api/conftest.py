"""Callers of the API, and a conversation to call about."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

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
        """The response to a call below /api/v1; `body` is sent as JSON."""
        send: Callable[..., Any] = getattr(self.client, method)
        address = path if path.startswith("/api") else f"{API}{path}"
        if method in ("get", "head"):
            return send(address, query, headers=self.headers)
        return send(address, body, content_type="application/json", headers=self.headers, query_params=query)


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
