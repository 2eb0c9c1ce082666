"""What browsers load: vendored files unchanged, the first load small, colours that can be told apart."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[3] / "static"
VENDOR = STATIC / "vendor"
FILES = tomllib.loads((VENDOR / "vendor.toml").read_text())["file"]
BUDGET = 60 * 1024

TEXT = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("canvas", "surface", "raised", "hover")),
    *(("ink", ground) for ground in ("selected", "bubble-in", "accent-soft", "bad-soft", "warn-soft")),
    *(("ink-2", ground) for ground in ("selected", "bad-soft", "warn-soft")),
    ("ink-on", "accent"),
    ("ink-on", "accent-hover"),
    ("accent-ink", "accent-soft"),
    ("accent-ink", "surface"),
    ("accent-ink", "selected"),
    ("note-ink", "note"),
    *((f"{state}-ink", ground) for state in ("ok", "warn", "bad", "info") for ground in (f"{state}-soft", "surface")),
    ("bad-ink", "canvas"),
]
CONTROLS = [
    *(("line-strong", ground) for ground in ("surface", "canvas", "raised")),
    *(("focus", ground) for ground in ("surface", "canvas", "hover", "selected")),
    *((state, ground) for state in ("ok", "warn", "bad", "info", "accent") for ground in ("surface", "canvas")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file["package"]))
def test_a_vendored_file_is_what_it_says_it_is(file: dict[str, str]) -> None:
    assert hashlib.sha256((VENDOR / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    assert (VENDOR / file["licence_file"]).stat().st_size > 100
    assert file["path"].startswith(f"{file['package']}@{file['version']}/")


def test_everything_vendored_is_listed() -> None:
    listed = {VENDOR / file[key] for file in FILES for key in ("path", "licence_file")} | {VENDOR / "vendor.toml"}

    assert {path for path in VENDOR.rglob("*") if path.is_file()} == listed


def _imported(path: Path, known: set[Path]) -> set[Path]:
    """A module and all that it imports at once; what is imported later, by a call, is no part of the first load."""
    if path not in known:
        known.add(path)
        for name in re.findall(r"^(?:import|export) [^;]*?'\./([\w-]+\.js)';", path.read_text(), re.MULTILINE):
            _imported(path.parent / name, known)
    return known


def test_modules_do_not_load_each_other_in_a_circle() -> None:
    """Names with digests cannot be made of such: collectstatic would fail, on the day of an installation."""
    known = {
        path.name: set(re.findall(r"(?:from|import\(|import) ?'\./([\w-]+\.js)'", path.read_text()))
        for path in (STATIC / "js").glob("*.js")
    }
    assert sum(map(len, known.values())) > 30
    while True:
        leaves = {name for name, asked in known.items() if not asked & set(known)}
        if not leaves:
            break
        known = {name: asked for name, asked in known.items() if name not in leaves}
    assert known == {}


def test_the_first_load_of_the_desk_is_small() -> None:
    shell = (STATIC.parent / "templates" / "desk" / "base.jinja").read_text()
    styles = [STATIC / name for name in re.findall(r'static\("(css/[^"]+)"\)', shell)]
    vendored = [STATIC / name for name in re.findall(r'static\("(vendor/[^"]+\.js)"\)', shell)]
    modules = _imported(STATIC / "js" / "desk.js", set())

    assert len(styles) >= 4 and len(vendored) == 2 and len(modules) > 10
    assert sum(len(gzip.compress(path.read_bytes())) for path in [*styles, *vendored, *modules]) < BUDGET


def _colours() -> dict[str, tuple[str, str]]:
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), ?(#\w{6})\)", (STATIC / "css" / "tokens.css").read_text())
    return {name: (light, dark) for name, light, dark in pairs}


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (CONTROLS, 3.0)], ids=["text", "controls"])
def test_colours_can_be_told_apart(pairs: list[tuple[str, str]], least: float, theme: int) -> None:
    colours = _colours()

    weak = {
        f"{ink} on {ground}": round(_contrast(colours[ink][theme], colours[ground][theme]), 2)
        for ink, ground in pairs
        if _contrast(colours[ink][theme], colours[ground][theme]) < least
    }
    assert weak == {}


def test_every_icon_in_use_is_in_the_sprite() -> None:
    sprite = (VENDOR / next(file["path"] for file in FILES if file["package"] == "lucide-static")).read_text()
    templates = Path(__file__).resolve().parents[3] / "templates"
    used = {
        name
        for path in [*templates.rglob("*.html"), *templates.rglob("*.jinja")]
        for name in re.findall(r"icon[ (]\"([a-z0-9-]+)\"", path.read_text())
    }

    assert len(used) > 20
    assert {name for name in used if f'<symbol id="{name}"' not in sprite} == set()
