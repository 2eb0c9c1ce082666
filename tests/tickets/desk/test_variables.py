"""Texts with places to fill in."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.desk import variables

VALUES = {"customer.first_name": "Carol", "customer.name": "Carol Miller", "conversation.subject": "{{ agent.name }}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hello {{ customer.first_name }},", "Hello Carol,"),
        ("Hello {{customer.first_name}}{{ customer.name }}", "Hello CarolCarol Miller"),
        ("Hello {{ customer.first_name|there }}", "Hello Carol"),
        ("Hello {{ agent.first_name|there }}", "Hello there"),
        ("Hello {{ agent.first_name }}.", "Hello ."),
        ("{{ secrets.key }} {{ customer.password|x }}", "{{ secrets.key }} {{ customer.password|x }}"),
        ("{% now %} {{ customer.name|upper|x }} {# x #}", "{% now %} {{ customer.name|upper|x }} {# x #}"),
        # What is filled in is not looked at again.
        ("{{ conversation.subject }}", "{{ agent.name }}"),
        ("{{{ customer.name }}}", "{Carol Miller}"),
    ],
)
def test_places_are_filled_in_once(text: str, filled: str) -> None:
    assert variables.fill(text, VALUES) == filled


@pytest.mark.parametrize(
    "text", ["{{ customer.age }}", "{{ }}", "{{customer.name", "{{ customer.name|a|b }}", "{{ x() }}"]
)
def test_what_means_nothing_is_refused_when_it_is_saved(text: str) -> None:
    with pytest.raises(variables.UnknownVariable):
        variables.check(f"Hello {text}")


@pytest.mark.parametrize("name", variables.VARIABLES)
def test_every_variable_may_be_saved(name: str) -> None:
    assert variables.check(f"{{{{ {name} }}}} {{{{{name}|you}}}}")


@given(st.text(alphabet="{}|. abcustomer_name\n", max_size=2_000))
def test_no_text_breaks_it(text: str) -> None:
    filled = variables.fill(text, VALUES)
    assert filled == text or "{{" in text
    with contextlib.suppress(variables.UnknownVariable):
        assert variables.check(text) == text


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Jane Doe", "Jane"),
        ("Doe, Jane", "Jane"),
        ("jane@doe.example", ""),
        ("", ""),
        (" , ", ""),
        ("Jane", "Jane"),
        ("Acme,", "Acme"),
    ],
)
def test_how_somebody_is_addressed(name: str, first: str) -> None:
    assert variables.first_name(name) == first
