"""Tokens and signed ids: ours in any letter case, nobody else's."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail import tokens

LETTERS = string.ascii_lowercase + "234567"


@given(st.sampled_from(sorted(tokens.KINDS)), st.integers(0, 2**63), st.integers(0, 2**32 - 1))
def test_a_token_says_what_was_put_in(kind: str, subject: int, person: int) -> None:
    token = tokens.make(kind, subject, person)
    assert tokens.read(token) == tokens.read(token.upper()) == tokens.Token(kind, subject, person)
    assert len(f"backoffice+{token}") <= 64, "RFC 5321 §4.5.3.1.1"


def test_every_other_letter_at_every_place_is_refused() -> None:
    token = tokens.make("customer", 17, 4)
    for place, letter in enumerate(token):
        for other in LETTERS.replace(letter, ""):
            assert tokens.read(token[:place] + other + token[place + 1 :]) is None


@given(st.text(max_size=80))
def test_anything_else_is_no_token(text: str) -> None:
    assert tokens.read(text) is None
    assert tokens.conversation_of(text) is None


@pytest.mark.parametrize(
    "address", ["support@x.example", "support+@x.example", "support+news@x.example", "", "+@", "@"]
)
def test_an_address_without_a_token_has_none(address: str) -> None:
    assert tokens.in_address(address) is None


def test_a_message_id_is_ours_or_not() -> None:
    mail_id = tokens.message_id(12, 34, "demo.example")
    assert (tokens.conversation_of(mail_id), tokens.message_of(mail_id.upper())) == (12, 34)
    assert tokens.conversation_of(mail_id.replace("t12", "t13")) is None
    assert tokens.conversation_of(mail_id.replace("m34", "m35")) is None
