"""An empty database is made by cheaper states: it holds what the models say, and upgrades go Django's own way."""

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from helpdesk.database.fresh import FreshExecutor, FreshState

SHOP = [
    migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]),
    migrations.CreateModel(
        "Book",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("shelf", models.ForeignKey("shop.Shelf", models.CASCADE, related_name="books")),
            ("pages", models.IntegerField()),
        ],
    ),
    migrations.AddIndex("book", models.Index(fields=["pages"], name="book_pages")),
    migrations.AddConstraint("book", models.UniqueConstraint(fields=["shelf", "pages"], name="book_once")),
    migrations.AddField("book", "next", models.ForeignKey("shop.Book", models.CASCADE, null=True)),
    migrations.AddConstraint("shelf", models.CheckConstraint(condition=~models.Q(name=""), name="shelf_named")),
]


@pytest.mark.django_db
def test_what_the_models_say_is_in_the_database() -> None:
    missing = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            meta = model._meta
            if not meta.managed:
                continue
            columns = {column.name for column in connection.introspection.get_table_description(cursor, meta.db_table)}
            names = set(connection.introspection.get_constraints(cursor, meta.db_table))
            missing += [
                f"{meta.db_table}.{field.column}" for field in meta.local_concrete_fields if field.column not in columns
            ]
            missing += [one.name for one in (*meta.indexes, *meta.constraints) if one.name not in names]
    assert missing == []


def test_its_states_end_where_djangos_do() -> None:
    seen = []
    for state in (ProjectState(), FreshState()):
        assert list(state.apps.get_models()) == []  # rendered from the beginning, as by the executor
        for operation in SHOP:
            before = state.clone()
            operation.state_forwards("shop", state)
            assert type(before) is type(state)
        shelf, book = (state.apps.get_model("shop", name) for name in ("Shelf", "Book"))
        assert shelf._meta.get_field("books").related_model is book
        assert book._meta.get_field("shelf").related_model is shelf
        seen.append(
            [
                [[field.name for field in one._meta.get_fields()], one._meta.indexes, one._meta.constraints]
                for one in (shelf, book)
            ]
        )
        assert [one.name for one in book._meta.total_unique_constraints] == ["book_once"]
    assert seen[0] == seen[1]


@pytest.mark.django_db
def test_an_upgrade_goes_djangos_own_way() -> None:
    executor = FreshExecutor(connection)
    assert type(executor._create_project_state()) is ProjectState
    executor.loader.applied_migrations = {}
    assert type(executor._create_project_state()) is FreshState
