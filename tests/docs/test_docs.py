"""What the documentation says of the code is true: links, files, modules, commands, URLs, settings and numbers."""

import ast
import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import resolve
from django.utils.module_loading import import_string

from helpdesk.api_errors import NothingHere
from tests.docs.pages import PAGES, ROOT, anchors, blocks, code, links, name_of, page, table, tables

SETTINGS = "\n".join(path.read_text() for path in sorted((ROOT / "helpdesk").glob("settings*.py")))
DOTTED = re.compile(r"(?:helpdesk|tickets|chat|status)(?:\.\w+)+")
FILE = re.compile(r"(?:helpdesk|tickets|tests|docs|static|templates|scripts)/[\w./-]*")
URL = re.compile(r"/(?:desk|api|hooks|healthz|tickets|pages|status)/[\w<>./-]*|/metrics")
PLACEHOLDERS = {"<id>": "1", "<esp>": "mailgun", "<target>": "dispatch"}
UNITS = {
    "": 1,
    "s": 1,
    "minutes": 60,
    "hours": 3600,
    "days": 86_400,
    "kB": 1024,
    "MB": 1024**2,
}

every_page = pytest.mark.parametrize("path", PAGES, ids=name_of)


@every_page
def test_links_lead_somewhere(path: Path) -> None:
    for target in links(path.read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        assert found.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(found.read_text()), f"{target} is no heading"


@every_page
def test_files_named_exist(path: Path) -> None:
    for words in code(path.read_text()):
        if FILE.fullmatch(words):
            assert (ROOT / words).exists(), f"{words} does not exist"


@every_page
def test_modules_named_exist(path: Path) -> None:
    for words in code(path.read_text()):
        if DOTTED.fullmatch(words):
            _find(words)


def _find(dotted: str) -> object:
    try:
        return import_module(dotted)
    except ModuleNotFoundError:
        return import_string(dotted)


@every_page
def test_commands_named_exist(path: Path) -> None:
    for name in re.findall(r"manage\.py ([a-z_]+)", path.read_text()):
        assert name in {*get_commands(), "shell"}, f"manage.py {name} does not exist"


def test_commands_of_operations_are_ours_and_all_of_ours() -> None:
    told = {code(row["command"])[0].split()[0] for row in table("docs/operations.md", "command", "does")}
    told |= {
        words.split()[0] for row in table("docs/operations.md", "command", "does") for words in code(row["command"])
    }
    assert told == {name for name, app in get_commands().items() if app in ("helpdesk", "tickets", "status")}


@every_page
def test_targets_of_make_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), re.MULTILINE)) <= targets


@every_page
def test_urls_named_resolve(path: Path) -> None:
    for words in code(path.read_text()):
        url = re.sub(r"^(?:GET|POST) ", "", words)
        if URL.fullmatch(url):
            for placeholder, value in PLACEHOLDERS.items():
                url = url.replace(placeholder, value)
            view = resolve(url).func
            assert getattr(view, "view_class", None) is not NothingHere, f"{words} leads nowhere"


@every_page
def test_nothing_names_the_writers_machine(path: Path) -> None:
    assert not re.search(r"\.\./shared|/root/|/home/", path.read_text())


def _read_by_settings() -> dict[str, object]:
    """Environment variables that settings.py reads, with their defaults where those are constants (else None)."""
    found: dict[str, object] = {}
    for node in ast.walk(ast.parse(SETTINGS)):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        called = ast.unparse(node.func)
        if called == "secret" or re.fullmatch(r"env\.(?:str|bool|int|list)", called):
            default = next((word.value for word in node.keywords if word.arg == "default"), None)
            found[str(node.args[0].value)] = default.value if isinstance(default, ast.Constant) else None
    return found


def test_the_table_of_variables_is_that_of_the_settings() -> None:
    told = {code(row["variable"])[0] for row in table("docs/operations.md", "variable", "default")}
    assert told == {*_read_by_settings(), "ANYMAIL_…"}


def test_the_defaults_of_variables_are_those_of_the_settings() -> None:
    rows = {
        code(row["variable"])[0]: code(row["default"]) for row in table("docs/operations.md", "variable", "default")
    }
    plain = {name: str(default) for name, default in _read_by_settings().items() if default not in (None, "")}
    assert {name: rows[name][0] for name in plain} == plain


def _limits() -> list[tuple[str, str]]:
    """Value and constant of every row that says what it is set by."""
    rows = [row for path in PAGES for found in tables(path.read_text()) for row in found if "set by" in row]
    return [(row["value"], code(row["set by"])[0]) for row in rows]


@pytest.mark.parametrize(("told", "constant"), _limits(), ids=[constant for _, constant in _limits()])
def test_numbers_are_those_of_the_code(told: str, constant: str) -> None:
    number, _, unit = told.partition(" ")
    value = import_string(constant)
    seconds_or_count = value.total_seconds() if isinstance(value, timedelta) else value
    assert float(number.replace(",", "")) * UNITS[unit] == seconds_or_count


def test_the_glossary_is_in_order_and_says_where() -> None:
    rows = table("docs/glossary.md", "word", "meaning", "where")
    words = [row["word"].split("**")[1].lower() for row in rows]
    assert words == sorted(words)
    for row in rows:
        _find(code(row["where"])[0])


def test_every_decision_is_numbered_dated_and_accepted() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: (accepted|superseded by \d+)\.$", text, re.MULTILINE)
        assert anchors(text) >= {"context", "decision", "consequences"}


def test_the_programs_of_the_readme_are_programs() -> None:
    text = "\n".join(blocks(page("README.md"), "sh"))
    programs = [program for _, program in re.findall(r"-c ([\"'])(.+?)\1(?=$|\)\")", text, re.MULTILINE)]
    assert len(programs) == 2
    for program in programs:
        compile(program, "README.md", "exec")
