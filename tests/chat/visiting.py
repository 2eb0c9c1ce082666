"""What tests of the visitors' HTTP interface do as a page does it: sign, open, begin, say."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

import jwt
from django.test import Client

KEY = "pk_demo"
SECRET, OTHER_SECRET = "a" * 40, "b" * 40


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
