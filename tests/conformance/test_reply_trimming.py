"""Replies of other projects' test suites, trimmed as those projects expect (white space aside).

Talon only removes quotes, so there the signature counts as part of the reply; the others want it gone. Crisp keeps the
lines below a bare dash, which to us are a signature: both readings pass.
"""

import html
import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tickets.mail.html_text import to_text
from tickets.mail.trimming import Trimmed, newly_written, trim_html, trim_text

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "mail" / "reply-trimming.json"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="../shared/data (other projects' mails) is absent")

GATES = {"talon-text": 46, "talon-std": 12, "crisp": 38, "zapier": 5, "talon-html": 29}
LOST_AT_MOST = 2
# Of the 29 HTML mails, when they have no text of their own; by the lines of the text made of them it would be 24.
HTML_AS_TEXT = 28


def words(text: str, *, kind: str) -> str:
    """What a reader sees, without white space."""
    if kind == "html":
        text = re.sub(r"(?is)<!--.*?-->|<(style|script|title)\b.*?</\1>|<\?.*?>", "", text)
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    return re.sub(r"[\s\u200e]+", "", text)


@cache
def trimmed_cases() -> list[tuple[dict[str, Any], Trimmed]]:
    cases = json.loads(DATA.read_text(encoding="utf-8"))
    return [(case, (trim_html if case["kind"] == "html" else trim_text)(case["text"])) for case in cases]


def is_as_expected(case: dict[str, Any], trimmed: Trimmed) -> bool:
    expected = words(case["expected"], kind=case["kind"])
    readings = (trimmed.visible, trimmed.visible + trimmed.signature)
    return expected in [words(reading, kind=case["kind"]) for reading in readings]


@pytest.mark.parametrize("corpus", GATES)
def test_corpus(corpus: str) -> None:
    results = {
        case["id"]: is_as_expected(case, trimmed) for case, trimmed in trimmed_cases() if case["corpus"] == corpus
    }

    assert sum(results.values()) >= GATES[corpus], [name for name, passed in results.items() if not passed]


def test_html_without_a_text_is_trimmed_by_its_markup() -> None:
    cases = [case for case, _ in trimmed_cases() if case["corpus"] == "talon-html"]
    shown = [words(newly_written(to_text(case["text"]), case["text"]), kind="text") for case in cases]
    expected = [words(case["expected"], kind="html") for case in cases]
    assert sum(map(str.__eq__, shown, expected)) >= HTML_AS_TEXT


def test_senders_words_are_kept() -> None:
    lost = defaultdict(list)
    for case, trimmed in trimmed_cases():
        shown = words(trimmed.visible + trimmed.signature, kind=case["kind"])
        if words(case["expected"], kind=case["kind"]) not in shown:
            lost[case["corpus"]].append(case["id"])

    assert sum(map(len, lost.values())) <= LOST_AT_MOST, dict(lost)
