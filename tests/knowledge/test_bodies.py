"""Markdown made HTML: what it can do, and that nothing hostile comes through."""

from html.parser import HTMLParser

import pytest
from django.utils import translation
from django.utils.translation import gettext

from knowledge import bodies

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)><a href='javascript:alert(1)'>x</a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:alert(1))",
    "[x](//evil.example/)",
    "[x](/\\evil.example/)",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "![x](/kb/files/abcdefghijkl/../../../desk/)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![x" onerror=alert(1) y="](/kb/files/abcdefghijkl/a.png)',
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n[x]",
    '```html" onmouseover="alert(1)\n<b>\n```',
    "# <img src=x onerror=alert(1)>",
    "> [!NOTE]<script>alert(1)</script>\n> x",
    '<iframe src="https://evil.example"></iframe><form action="//evil"><button formaction="javascript:alert(1)">',
    '<a href="jav\tascript:alert(1)">x</a>',
    "\x00<script>\x00alert(1)</script>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
]


def tags_of(html: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every tag with its attributes, as a browser takes them apart."""
    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    reader = Reader()
    reader.feed(html)
    reader.close()
    return found


def test_nothing_hostile_comes_through() -> None:
    for text in HOSTILE:
        html = bodies.render(text).html
        # What was typed as markup is text: its words may stand there, but never as a tag or an attribute.
        for tag, attributes in tags_of(html):
            assert tag in bodies._TAGS, (text, tag)
            assert set(attributes) <= bodies._ATTRIBUTES.get(tag, set()), (text, attributes)
            for name in ("href", "src"):
                address = (attributes.get(name) or "").lower().strip()
                assert not address.startswith(("javascript", "vbscript", "data", "//", "/\\")), (text, address)
            assert not (attributes.get("src") or "").startswith("http"), text
        assert "/../" not in html or "<img" not in html, html


def test_what_nh3_would_find_if_the_parser_were_fooled() -> None:
    dirty = (
        '<p onclick="x">a</p><script>b</script><img src="https://e.example/x.png"><a href="javascript:x">c</a><svg>d'
    )
    assert bodies.clean(dirty) == "<p>a</p><img><a>c</a>d"
    assert bodies.clean('<div class="callout note">x</div><div class="evil">y</div>') == (
        '<div class="callout note">x</div><div>y</div>'
    )


def test_callouts_tables_code_and_pictures() -> None:
    made = bodies.render(
        "# Top\n\n> [!WARNING]\n> Careful with `rm`.\n\n> A quote.\n\n## Below\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "```sh\nls *.txt\n```\n\n![Shot](/kb/files/abcdefghijkl/shot.png)\n\n~~gone~~\n\n## Below",
        {"/kb/files/abcdefghijkl/shot.png": (640, 480)},
    )
    assert '<div class="callout warning">\n<p class="callout-title">Warning</p>' in made.html
    assert "<p>Careful with <code>rm</code>.</p>\n</div>" in made.html and "<blockquote>\n<p>A quote.</p>" in made.html
    assert made.html.startswith('<h2 id="s-top">Top</h2>') and '<h3 id="s-below-2">' in made.html
    assert '<div class="scrolls" tabindex="0">\n<table>' in made.html and "<s>gone</s>" in made.html
    assert '<code class="language-sh">ls *.txt' in made.html
    for part in ('src="/kb/files/abcdefghijkl/shot.png"', 'width="640"', 'height="480"', 'loading="lazy"'):
        assert part in made.html
    assert "ls *.txt" in made.plain and "[!" not in made.plain and "Careful with rm." in made.plain
    assert bodies.contents(made.html) == [("s-top", "Top")]
    with translation.override("de"):
        warning = gettext("Warning")
    assert f'<p class="callout-title">{warning}</p>' in bodies.render("> [!WARNING]\n> x", language="de").html


def test_headings_begin_with_the_second_whatever_was_written() -> None:
    assert bodies.render("### A\n\n#### B").html == '<h2 id="s-a">A</h2>\n<h3 id="s-b">B</h3>\n'


def test_strangers_pictures_are_links() -> None:
    html = bodies.render("![A picture](https://other.example/x.png)").html
    assert html == '<p><a href="https://other.example/x.png" rel="noopener noreferrer">A picture</a></p>\n'


def test_long_and_deep_texts_end() -> None:
    with pytest.raises(ValueError, match="at most"):
        bodies.render("x" * 100_001)
    for text in (">" * 20_000, "[" * 20_000, "*a **" * 10_000, "- " * 20_000, "`" * 50_000, "![" * 20_000 + "](x)"):
        assert isinstance(bodies.render(text).html, str)
    # An address that is written once and named often does not make a page of gigabytes.
    for one in ("[a]", "![a]"):
        html = bodies.render(f"[a]: /{'x' * 30_000}\n\n{one * 15_000}").html
        assert 500_000 < len(html) < 3_000_000
