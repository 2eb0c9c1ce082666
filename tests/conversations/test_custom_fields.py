"""What may stand in a company's own fields."""

from typing import Any

import pytest

from helpdesk.conversations import custom_fields
from helpdesk.conversations.models import CustomField


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", "  a  ", "a"),
        ("text", "", None),
        ("number", "12", 12),
        ("number", "1,5", 1.5),
        ("date", "2026-01-12", "2026-01-12"),
        ("yes_no", "yes", True),
        ("yes_no", "no", False),
        ("choice", "ours", "ours"),
        ("choice", " ", None),
    ],
)
def test_fits(kind: str, typed: str, kept: Any) -> None:
    assert custom_fields.value_of(CustomField(key="x", name="X", kind=kind, choices=["ours"]), typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("number", "x"),
        ("number", "NaN"),
        ("number", "1e99"),
        ("number", "inf"),
        ("date", "12.1."),
        ("choice", "theirs"),
    ],
)
def test_does_not_fit(kind: str, typed: str) -> None:
    with pytest.raises(custom_fields.Unfit):
        custom_fields.value_of(CustomField(key="x", name="X", kind=kind, choices=["ours"]), typed)


def test_only_what_was_changed_is_given() -> None:
    fields = [CustomField(key=key, name=key, kind="text") for key in ("one", "two", "three")]
    data = {"custom_one": "new", "was_custom_one": "old", "custom_two": "same", "was_custom_two": "same"}

    assert custom_fields.given_in(data, fields) == {"one": "new"}


@pytest.mark.django_db
def test_missing_are_the_required_ones_that_are_empty() -> None:
    for key in ("a", "b", "free"):
        CustomField.objects.create(key=key, name=key.upper(), is_required=key != "free")
    CustomField.objects.create(key="gone", name="Gone", is_required=True, is_active=False)

    assert [field.name for field in custom_fields.missing({"a": 0})] == ["B"]
