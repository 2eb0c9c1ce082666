"""What customers' pages load is small, and stays it."""

import gzip
import re
from hashlib import md5
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import translation
from whitenoise.storage import CompressedManifestStaticFilesStorage

from helpdesk.static_files import HashedStaticFiles
from tests.fixtures.company import Company

STATIC = Path(__file__).resolve().parents[2] / "static"
LOADER, CONFIG, PANEL = 4 * 1024, 2 * 1024, 25 * 1024


def _first(path: Path, known: set[Path]) -> set[Path]:
    """A module and all that it imports at once; what is imported later, by a call, is no part of the first load."""
    if path not in known:
        known.add(path)
        for name in re.findall(r"^(?:import|export) [^;]*?'\./([\w-]+\.js)';", path.read_text(), re.MULTILINE):
            _first(path.parent / name, known)
    return known


@pytest.mark.django_db
def test_the_loader_and_its_config_are_small(company: Company, client: Client) -> None:
    loader = client.get("/chat/loader.js", headers={"Accept-Encoding": "gzip"})
    sizes = [len(client.get("/chat/config", {"key": "pk_demo", "lang": code}).content) for code in ("en", "de", "fr")]

    assert loader["Content-Encoding"] == "gzip"
    assert len(loader.content) <= LOADER
    assert max(sizes) <= CONFIG


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt"])
def test_the_panel_is_small_in_every_language(company: Company, client: Client, language: str) -> None:
    page = client.get("/chat/frame/", {"key": "pk_demo", "lang": language, "origin": "https://shop.example"})
    translation.activate("en")
    modules = _first(STATIC / "chat" / "panel.js", set())
    loaded = [page.content.decode(), (STATIC / "chat" / "panel.css").read_text(), *map(_served, modules)]

    assert len(modules) > 5
    assert {path.name for path in modules} == _named(page.content)
    assert sum(len(gzip.compress(_hashed(text).encode())) for text in loaded) <= PANEL
    packed = client.get("/chat/frame/", {"key": "pk_demo", "lang": language}, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip" and b"<!doctype html>" in gzip.decompress(packed.content)


def _served(module: Path) -> str:
    """As collectstatic keeps it."""
    kept: list[ContentFile[bytes]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CompressedManifestStaticFilesStorage, "_save", lambda _self, _name, content: kept.append(content))
        content = ContentFile(module.read_bytes())
        content.read()
        HashedStaticFiles()._save(f"chat/{module.name}", content)
    text: str = kept[0].read().decode()
    assert "import" in text or "export" in text
    return text


def _hashed(text: str) -> str:
    """With the names that files have in production, which hold a digest: twelve digits that no packing makes fewer."""
    return re.sub(
        r"(?<=/)\w+(?=\.(?:js|css)\b)", lambda name: f"{name[0]}.{md5(name[0].encode()).hexdigest()[:12]}", text
    )


def _named(page: bytes) -> set[str]:
    """The modules that the page begins to load before any of them runs."""
    return set(re.findall(r"chat/(\w+\.js)", page.decode()))
