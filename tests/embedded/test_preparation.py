from contextlib import closing
from pathlib import Path

import psycopg2

from helpdesk.embedded.postgres import start_postgres
from helpdesk.embedded.preparation import Preparation


def execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


def test_only_the_known_state_of_code_and_database_needs_nothing(data_dir: Path, tmp_path: Path) -> None:
    url = start_postgres(data_dir).url
    project = tmp_path / "project"
    migrations = project / "tickets" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_initial.py").write_text("first")

    def preparation(demo: bool = False) -> Preparation:
        return Preparation(data_dir / "prepared.json", project, url, demo=demo)

    assert preparation().needed()
    execute(url, "CREATE TABLE django_migrations (id serial, app text, name text)")
    execute(url, "INSERT INTO django_migrations (app, name) VALUES ('tickets', '0001_initial')")
    assert preparation().needed()
    preparation().done()
    assert not preparation().needed()

    assert preparation(demo=True).needed()
    (migrations / "0002_more.py").write_text("second")
    assert preparation().needed()
    (migrations / "0002_more.py").unlink()
    assert not preparation().needed()
    execute(url, "DELETE FROM django_migrations")
    assert preparation().needed()


def test_a_database_that_cannot_be_asked_is_left_to_django(tmp_path: Path) -> None:
    preparation = Preparation(tmp_path / "prepared.json", tmp_path, "postgres://127.0.0.1:1/none", demo=False)
    assert preparation.needed()
    preparation.done()
    assert preparation.needed()
