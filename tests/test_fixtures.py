"""What makes the suite quick makes the same rows, under new ids, and takes all of them away."""

import json
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model

from helpdesk import demo
from helpdesk.events.models import Event
from helpdesk.sla.models import Calendar
from status.models import StatusPage
from tests.fixtures.company import FOUNDED, Company
from tests.fixtures.copies import Copy, models
from tests.fixtures.emptying import empty_tables

# When and in which transaction a row came, what is drawn by lot, and what rises with every copy.
OWN = {"created_at", "transaction_id", "password", "public_id"}
RISING = (StatusPage, "version")


def _rows(copy: Copy) -> dict[type[Model], list[dict[str, Any]]]:
    return {model: sorted(json.loads(rows), key=lambda row: list(row.values())) for model, rows in copy.rows.items()}


def _without_ids(copy: Copy) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, every id replaced by the place of its row in its table."""
    found = _rows(copy)
    places = {
        model: {row[model._meta.pk.attname]: place for place, row in enumerate(rows)} for model, rows in found.items()
    }
    plain: dict[str, list[dict[str, Any]]] = {}
    for model, rows in found.items():
        for row in rows:
            for field in model._meta.local_concrete_fields:
                target = field.related_model if field.is_relation else model if field.primary_key else None
                if target in places and row[field.attname] is not None:
                    row[field.attname] = places[target][row[field.attname]]
            if model is Event and "calendar" in row["data"]:
                row["data"]["calendar"] = places[Calendar][row["data"]["calendar"]]
        kept = [
            {name: value for name, value in row.items() if name not in OWN and (model, name) != RISING} for row in rows
        ]
        if model._meta.auto_created:
            # Who belongs to what has no order of its own: it is put there as a set.
            kept = sorted(({**row, "id": 0} for row in kept), key=lambda row: list(row.values()))
        plain[model._meta.label] = kept
    return plain


def _ids(copy: Copy) -> set[tuple[type[Model], int]]:
    rows = _rows(copy)
    return {(model, row[model._meta.pk.attname]) for model in copy.sequences for row in rows[model]}


def test_the_copied_company_is_the_one_its_actions_make(company: Company) -> None:
    copied = _without_ids(Copy.of_everything())
    with transaction.atomic():
        assert empty_tables()
        demo.load(at=FOUNDED)
        made = _without_ids(Copy.of_everything())
        transaction.set_rollback(True)
    assert copied == made
    assert len(made) > 20


@pytest.mark.django_db
def test_no_id_comes_twice() -> None:
    demo.load(at=FOUNDED)
    made = Copy.of_everything()
    assert empty_tables()
    seen = _ids(made)
    for _ in range(3):
        made.put()
        # What a test makes by itself comes after, and before what the next test copies.
        Calendar.objects.create(name="Own", timezone="UTC", week={})
        found = _ids(Copy.of_everything())
        assert not found & seen
        seen |= found
        assert empty_tables()


@pytest.mark.django_db(transaction=True)
def test_everything_is_taken_away(company: Company) -> None:
    kinds = ContentType.objects.count()
    assert Event.objects.exists()
    assert empty_tables()
    assert [model for model in models() if model._default_manager.exists()] == []
    assert ContentType.objects.count() == kinds > 0
