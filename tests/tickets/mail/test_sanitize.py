"""Nothing that runs, nothing that loads, nothing that hangs the tree builder."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.mail.html_limits import MAX_DEPTH, MAX_LINKS
from tickets.mail.sanitize import sanitize

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mi//xlink:href='javascript:alert(1)'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='\u2028javascript:alert(1)'>x</a>",
    "<a href='\u00a0javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<form action=https://evil.example><input name=password><button formaction=javascript:alert(1)>x</button></form>",
    "<object data=https://evil.example></object><embed src=https://evil.example>",
    "<link rel=stylesheet href=https://evil.example><style>@import 'https://evil.example';</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'><base href=https://evil.example>",
    "<video src=https://evil.example poster=https://evil.example></video><audio src=https://evil.example>",
    "<body background=https://evil.example onload=alert(1)><table background=https://evil.example><tr><td>x",
    "<div style='background:url(https://evil.example)'>x</div>",
    "<div style='background-color:url(https://evil.example)'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<div style='background:\\75rl(https://evil.example)'>x</div>",
    "<div style='background:image-set(\"https://evil.example\" 1x)'>x</div>",
    "<div style='background:u/**/rl(https://evil.example)'>x</div>",
    "<div style='position:fixed;top:0'>x</div>",
    "<img srcset='https://evil.example 1x' src=cid:a@b>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><img src=x onerror=alert(1)></template>",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<p title='<!--'><img src=x onerror=alert(1)>-->",
    "<!--><img src=x onerror=alert(1)>-->",
    "<a title='\"><img src=x onerror=alert(1)>'>x</a>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<img src='cid:remote\ue000https://evil.example/x.png'>",
]
ACTIVE = re.compile(
    r"<(script|svg|math|iframe|object|embed|form|input|button|link|style|meta|base|video|audio|template|noscript)\b"
    r"|<[^>]*\s(on\w+|srcset|background|poster|action|formaction|srcdoc|xlink:href)=|<[^>]*javascript:|<[^>]*url\("
    r"|\ssrc=\"(?!cid:|data:image/(png|jpe?g|gif|webp);)|<[^>]*(position|expression|image-set)",
    re.IGNORECASE,
)


def assert_safe(html: str) -> None:
    # Attribute values are quoted and escaped in the output, so what looks like an attribute or a tag there is one.
    bare = re.sub(r' (title|alt|lang|dir)="[^"]*"', "", html)
    assert not ACTIVE.search(bare), html
    assert sanitize(html).html == html


@pytest.mark.parametrize(
    "html", ["<p><button></p>", "<h1><o:p><h3>x", "<pre>\n\n", "<li><form><li>", "<h5><i><h3></i>x", "<h1><table><h2>"]
)
def test_what_changes_when_it_is_read_again_is_read_until_it_stays(html: str) -> None:
    """One pass takes out what kept two elements apart; a browser would then build another tree than we looked at."""
    assert sanitize(html).html
    assert_safe(sanitize(html).html)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_come_out_inert(attack: str) -> None:
    found = sanitize(f"<p>before</p>{attack}<p>after</p>")
    assert_safe(found.html)
    assert "before" in found.html
    assert not found.has_remote_images


def test_ordinary_mail_keeps_its_look() -> None:
    html = (
        '<p style="color:rgb(1,2,3);font-size:12px">Hi <b>you</b> <a href="https://a.example/?x=1&amp;y=2">link</a></p>'
    )
    found = sanitize(html)
    assert 'style="color:rgb(1,2,3);font-size:12px"' in found.html
    assert 'href="https://a.example/?x=1&amp;y=2" target="_blank" rel="noopener noreferrer nofollow"' in found.html
    assert found.notice == ""


def test_remote_pictures_wait_and_inline_pictures_stay() -> None:
    found = sanitize(
        '<img src="https://t.example/p.gif"><img src="//t.example/q.gif"><img src="cid:Logo@x" alt="logo">'
    )
    assert found.html == (
        '<img data-src="https://t.example/p.gif"><img data-src="https://t.example/q.gif">'
        '<img src="cid:Logo@x" alt="logo">'
    )
    assert found.has_remote_images
    assert not sanitize('<img src="cid:Logo@x">').has_remote_images
    twice = sanitize('<img src="https://a.example/1" data-src="https://b.example/2">')
    assert twice.html.count("data-src") == 1


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<p>x</p>" * 200_000, "larger than 1 MB"),
        ("<div>" * 100_000, f"nested deeper than {MAX_DEPTH}"),
        ("<svg>" + "<tr>" * 90_000, f"nested deeper than {MAX_DEPTH}"),
        ("<a href=https://x.example>x</a>" * (MAX_LINKS + 1), f"more than {MAX_LINKS} links"),
        ("<p>" + "".join(f"<font size={i}>" for i in range(190)) + "<p>x" * 90_000, "left open"),
        ("<a " + " ".join(f"a{i}=1" for i in range(80_000)) + ">x</a>", "too many attributes"),
        ("<a " + "".join(f'a{i}=">"' for i in range(80_000)) + ">x</a>", "too many attributes"),
        ("&" * 900_000, "too many entities"),
        ("<br>" * 150_000, "too many elements"),
    ],
    ids=lambda value: value[:30],
)
def test_what_no_tree_builder_should_see_is_refused_with_a_notice(html: str, reason: str) -> None:
    found = sanitize(html)
    assert found.html == ""
    assert reason in found.notice


def test_large_ordinary_mails_are_shown() -> None:
    rows = "".join(f"<tr><td><font color=red>{i}<td><p>text</tr>" for i in range(3_000))
    assert sanitize(f"<table>{rows}</table>").notice == ""
    assert sanitize("<div>" * 300 + "x" + "</div>" * 300).notice == ""
    assert sanitize("<p><a name=x>text " * 1_000).notice == ""


TAGS = "a b p i div font table tr td th ul li svg math style script select option template button form title br".split()
PIECES = st.one_of(
    st.sampled_from(TAGS).map(lambda tag: f"<{tag}>"),
    st.sampled_from(TAGS).map(lambda tag: f"</{tag}>"),
    st.sampled_from(
        ['<a href="https://x.example">', '<img src="https://x.example/1">', "<img src=cid:x>", "<p style='color:red'>"]
    ),
    st.sampled_from(ATTACKS),
    st.text(max_size=8),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25))
def test_any_markup_comes_out_safe_and_stays_the_same(pieces: list[str]) -> None:
    found = sanitize("".join(pieces))
    if found.html:
        assert_safe(found.html)
