"""What every test may use: the demo company's calendars, policies, plans and people, without its mail."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from django.core.cache import caches
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from pytest_django import Settings

from helpdesk import garbage
from helpdesk.customers.company import NAMES

pytest_plugins = [
    "tests.fixtures.company",
    "tests.fixtures.emptying",
    "tests.fixtures.mailing",
    "tests.fixtures.dns_stub",
    "tests.fixtures.providers",
    "tests.fixtures.smtp_sink",
    "tests.fixtures.receiving",
    "tests.fixtures.imap",
    "tests.fixtures.engine",
    "tests.fixtures.site",
    "tests.fixtures.phone",
]

# How busy the machine is, is no property of the code.
hypothesis.register_profile(
    "untimed", parent=hypothesis.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.load_profile("untimed")


@pytest.fixture
def at() -> datetime:
    """A Monday, 09:00 in Berlin."""
    return datetime(2026, 1, 12, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def _data_dirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Numbered here: mktemp looks at all the folders there are before it makes one more."""
    parent = tmp_path_factory.mktemp("data")
    return (parent / str(number) for number in count())


@pytest.fixture(autouse=True)
def own_data_dir(_data_dirs: Iterator[Path], settings: Settings) -> None:
    """Attachments and sent mail of a test lie in its own folder."""
    folder = next(_data_dirs)
    folder.mkdir()
    settings.MEDIA_ROOT = folder / "attachments"
    settings.EMAIL_BACKEND = "tickets.mail.file_backend.EmailBackend"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.SENT_MAIL_DIR = folder / "sent-mail"


@pytest.fixture(autouse=True)
def nobody_has_named_the_company() -> None:
    """What this process remembers of it is of one test, and remembered as it is in a process that has run a while."""
    caches["process"].clear()
    caches["process"].set(NAMES, ("", ""))


@pytest.fixture(autouse=True)
def no_dns(settings: Settings) -> None:
    """Tests ask no name server but their own."""
    settings.VERIFY_DKIM = False


def pytest_collection_finish() -> None:
    """A tenth of the suite's time went into looking through modules and tests that stay to the end."""
    garbage.settle()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last: Playwright leaves an event loop running in this thread until the session ends."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
