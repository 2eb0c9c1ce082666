"""Servers of a test's own, in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.embedded.postgres import stop_postgres
from helpdesk.embedded.valkey import stop_valkey


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    stop_valkey(folder)
    stop_postgres(folder)
