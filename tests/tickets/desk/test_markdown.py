"""Markdown of agents: what it makes, and that it can make nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.desk import markdown
from tickets.mail.sanitize import sanitize


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("**bold** and *thin*", "<strong>bold</strong> and <em>thin</em>"),
        ("- one\n- two", "<li>one</li>"),
        ("3. one\n4. two", '<ol start="3">'),
        ("`code <b>`", "<code>code &lt;b&gt;</code>"),
        ("```\na\n  b\n```", "<pre><code>a\n  b\n</code></pre>"),
        ("one\n**two**", "one<br>"),
        (
            "[us](https://a.example/b)",
            '<a href="https://a.example/b" rel="noopener noreferrer nofollow" target="_blank">',
        ),
        ("*see* https://a.example/x_y_z.", '<a href="https://a.example/x_y_z" rel='),
        ("> they said", "<blockquote>"),
    ],
)
def test_what_is_marked_is_shown(typed: str, shown: str) -> None:
    assert shown in markdown.shown(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "*x* <script>alert(1)</script>",
        "*x* <img src=x onerror=alert(1)>",
        "[x](javascript:alert(1)) *y*",
        "[x](JaVaScRiPt:alert(1)) *y*",
        "[x](data:text/html,<script>alert(1)</script>) *y*",
        "*x* ![x](https://tracker.example/x.png)",
        '[x](https://a.example/"onmouseover=alert(1)) *y*',
        "<javascript:alert(1)> *y*",
    ],
)
def test_nothing_else_becomes_markup(typed: str) -> None:
    made = markdown.shown(typed)

    for evil in ("<script", "<img", 'href="javascript', 'href="data', '"onmouseover'):
        assert evil not in made.lower()


@given(st.text(alphabet="*_`[]()<>-+.1> \n\\ahtps:/\"'", max_size=200))
def test_whatever_is_typed_is_safe_and_keeps_its_words(typed: str) -> None:
    made = markdown.render(typed)

    assert sanitize(str(made)).notice == ""
    assert sum(letter in "ahtps" for letter in typed) <= sum(letter in "ahtps" for letter in made)


def test_plain_words_are_left_as_they_are() -> None:
    assert not markdown.is_formatted("Hello Carol, it works: 3 > 2.")
    assert markdown.shown("Hello\n  Carol") == "Hello\n  Carol"
    assert "<div" not in markdown.shown("*" * (markdown.MOST_FORMATTED + 1))


@pytest.mark.parametrize("bomb", ["*", "[", "> ", "`a", "- ", "*a _b ", "[a](b", "<", "\\"])
def test_no_input_is_deep_or_slow(bomb: str) -> None:
    markdown.render((bomb * markdown.MOST_FORMATTED)[: markdown.MOST_FORMATTED])


def test_reports_have_headings_which_are_bold_lines() -> None:
    made = markdown.body("# What <b>happened</b>\n\nDisks.\n\n### Next\n\n- none")
    assert "<p><strong>What &lt;b&gt;happened&lt;/b&gt;</strong></p>" in made
    assert "<p><strong>Next</strong></p>" in made and "<li>none</li>" in made
    assert markdown.body("## Alone").strip() == "<p><strong>Alone</strong></p>"
    assert "#12 is open" in markdown.body("#12 is open")
    assert "<strong>" not in markdown.shown("# what a mail says stays as it was typed")
