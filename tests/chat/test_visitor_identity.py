"""Who a visitor is by the HTTP interface: sessions, tokens, hashes, and what is kept when somebody signs in."""

import hashlib
import hmac
from datetime import datetime
from typing import Any
from uuid import uuid4

import jwt
import pytest

from chat.models import Chat, Visit, Widget, WidgetSecret
from helpdesk.events import secrets
from tests.chat.visiting import KEY, OTHER_SECRET, SECRET, begin, call, opened, stranger, token
from tests.fixtures.company import Company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]


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
        ("an address that is no text", {"email": 7}),
        ("an address that is none", {"email": "a@b.example\r\nBcc: x@y.example"}),
        ("of blanks", {"sub": "   "}),
        ("half a character in the id", {"sub": "u\ud83d"}),
        ("half a character in its own id", {"jti": "\ud83d"}),
        ("what no column holds", {"sub": "u\x001"}),
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
    for odd in ("u7\x00", "   "):
        signed = hmac.new(SECRET.encode(), odd.encode(), hashlib.sha256).hexdigest()
        assert opened({"id": odd, "hash": signed}).status_code == 401


def test_a_name_that_was_cut_within_an_emoji_is_mended(shop: Widget, at: datetime) -> None:
    answer = opened(token(at, sub="new", email="new@umbrella.example", name="Zoë \ud83d\n"))

    assert (answer.status_code, answer.json()["me"]["name"]) == (201, "Zoë ?")


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
