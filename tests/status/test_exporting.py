"""The page as files: complete, relative, atomic, and without what is nobody's business."""

import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from helpdesk.events.models import Event
from status import exporting, incidents, pages
from status.incidents import PUBLISHED, Opening, Words
from status.models import Component, Incident, StatusPage
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db


class _Links(HTMLParser):
    """Where a page leads and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def _open(company: Company, at: datetime, name: str = "Disks gone") -> Incident:
    words = Words("investigating", "We look.", {component(f"web of {name}", at).pk: "major_outage"})
    return incidents.open_incident(Opening(name, words), company.ada, at=at)


def test_every_link_leads_to_a_file_or_to_the_helpdesk(company: Company, at: datetime, tmp_path: Path) -> None:
    one = _open(company, at)
    assert exporting.export(tmp_path, at=at) > 40
    assert (tmp_path / "incidents" / one.public_id / "index.html").is_file()
    seen = 0
    for page in tmp_path.rglob("*.html"):
        links = _Links()
        links.feed(page.read_text())
        for link in links.found:
            if link.startswith((settings.PUBLIC_URL, "#")) or not link:
                continue
            assert not re.match(r"[a-z]+:|/", link), f"{link} in {page} is not relative"
            target = (page.parent / link.split("#")[0]).resolve()
            assert (target / "index.html" if target.is_dir() else target).is_file(), f"{link} in {page}"
            seen += 1
    assert seen > 200
    assert "Disks gone" in (tmp_path / "history.atom").read_text()
    assert json.loads((tmp_path / "api/v2/summary.json").read_text())["incidents"][0]["id"] == one.public_id
    assert json.loads((tmp_path / "generated.json").read_text())["generated_at"] == at.isoformat()
    assert f'data-made="{at.isoformat()}"' in (tmp_path / "index.html").read_text()


def test_only_what_has_changed_is_written_again(company: Company, at: datetime, tmp_path: Path) -> None:
    old, one = _open(company, at - timedelta(days=40), "Old"), _open(company, at)
    exporting.export(tmp_path, at=at)
    untouched = tmp_path / "incidents" / old.public_id / "index.html"
    incidents.add_update(old, Words("resolved", "Over."), company.ada, at=at - timedelta(days=39))
    exporting.export(tmp_path, at=at)
    before = untouched.stat().st_mtime_ns
    incidents.add_update(one, Words("identified", "It is a disk."), company.ada, at=at + timedelta(minutes=1))
    exporting.export(tmp_path, at=at + timedelta(minutes=1), whole=False)
    assert untouched.stat().st_mtime_ns == before
    assert "It is a disk." in (tmp_path / "de" / "incidents" / one.public_id / "index.html").read_text()
    assert not [path for path in tmp_path.rglob(".*") if path.name != ".lock"]


def test_what_became_private_goes(company: Company, at: datetime, tmp_path: Path) -> None:
    one = _open(company, at)
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / "notes.txt").write_text("somebody else's")
    exporting.export(tmp_path, at=at)
    Component.objects.filter(incidents__incident=one).update(is_private=True)
    exporting.export(tmp_path, at=at)
    assert not list(tmp_path.rglob(one.public_id))
    assert "Disks gone" not in (tmp_path / "index.html").read_text()
    assert (tmp_path / "incidents" / "notes.txt").exists()


def test_it_follows_each_change_where_a_folder_is_set(company: Company, at: datetime, tmp_path: Path) -> None:
    pages.the_page(at)
    assert exporting.export_if_due(at) == 0
    StatusPage.objects.update(export_to=str(tmp_path / "public"))
    _open(company, at)
    exporting.follow(Event.objects.get(kind=PUBLISHED), at)
    mark = exporting.mark_of(tmp_path / "public")
    assert mark is not None and mark.version == pages.version()
    assert exporting.export_if_due(at + timedelta(minutes=1)) == 0
    # So that nobody is told that it is old.
    assert exporting.export_if_due(at + exporting.AGAIN_AFTER) > 0


def test_a_folder_that_cannot_be_is_said_and_keeps_nobody_waiting(
    company: Company, at: datetime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file" / "below", Path("relative")):
        with pytest.raises(exporting.NotThere):
            exporting.export(bad, at=at)
    with pytest.raises(CommandError):
        call_command("export_status", str(tmp_path / "file" / "below"))
    pages.the_page(at)
    StatusPage.objects.update(export_to=str(tmp_path / "file" / "below"))
    _open(company, at)
    exporting.follow(Event.objects.get(kind=PUBLISHED), at)
    assert "could not be exported" in caplog.text


@pytest.mark.parametrize("mark", ["", "{}", '{"generated_at": 5}', "[1]", "\x00"])
def test_a_broken_mark_is_none(mark: str, tmp_path: Path) -> None:
    (tmp_path / exporting.MARK).write_text(mark)
    assert exporting.mark_of(tmp_path) is None
