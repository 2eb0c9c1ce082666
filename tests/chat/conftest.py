"""Sockets for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.chat.agents import Desks
from tests.fixtures.site import Site


@pytest.fixture
def desks(site: Site) -> Iterator[Desks]:
    opened = Desks(site)
    yield opened
    opened.close()
