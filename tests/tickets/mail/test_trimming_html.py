"""Trimming HTML replies: the containers of the mail programs, answers between quotes, hostile markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tickets.mail.quoted_shapes import ALL_SHAPES
from tickets.mail.html_text import to_text
from tickets.mail.trimming import Trimmed, newly_written, trim_html

OUTLOOK_BLOCK = (
    "<b>From:</b> Bob<br><b>Sent:</b> Monday, March 4, 2024 3:04 PM<br><b>To:</b> Ann<br><b>Subject:</b> RE: x"
)
ATTRIBUTION_HTML = "On Mon, Mar 4, 2024 at 3:04 PM Bob &lt;<a href='mailto:b@example.com'>b@example.com</a>&gt; wrote:"
HTML_THREADS = {
    "gmail": (
        f"<div class='gmail_quote'><div class='gmail_attr'>{ATTRIBUTION_HTML}<br></div>"
        "<blockquote class='gmail_quote'>OLD</blockquote></div>"
    ),
    "gmail, unknown language": (
        "<div class='gmail_quote'>Blah 1 blah<br><blockquote class='gmail_quote'>OLD</blockquote></div>"
    ),
    "gmail extra": (
        f"<div class='gmail_extra'><br><div class='gmail_quote'>{ATTRIBUTION_HTML}"
        "<blockquote class='gmail_quote'>OLD</blockquote></div></div>"
    ),
    "gmail without quote": f"<div class='gmail_quote'>{ATTRIBUTION_HTML}<div>OLD</div></div>",
    "outlook web": f"<hr><div id='divRplyFwdMsg'>{OUTLOOK_BLOCK}</div><div>OLD</div>",
    "outlook web, unknown language": (
        "<div id='appendonsend'></div><hr><div id='divRplyFwdMsg'><b>Abc:</b> x</div><div>OLD</div>"
    ),
    "outlook desktop": (
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>"
        f"<p>{OUTLOOK_BLOCK}</p></div><p>OLD</p>"
    ),
    "outlook desktop, unknown language": (
        "<div><div style='border:none;border-top:solid #B5C4DF 1.0pt'><p><b>Abc:</b> x</p></div></div><p>OLD</p>"
    ),
    "outlook mac": f"<span id='OLK_SRC_BODY_SECTION'><div>{OUTLOOK_BLOCK}</div><div>OLD</div></span>",
    "outlook plain": f"<div>{OUTLOOK_BLOCK}</div><p>OLD</p>",
    "header in one line": "<div><b>From: b@example.com</b> <b>Date: Thu, 24 Mar 2016 08:07</b></div><p>OLD</p>",
    "header table": (
        "<table><tr><td>Von:</td><td>Bob</td></tr><tr><td>Gesendet:</td><td>4.3.2024</td></tr><tr>"
        "<td>An:</td><td>Ann</td></tr></table>OLD"
    ),
    "apple": f"<div><br><blockquote type='cite'><div>{ATTRIBUTION_HTML}</div><br><div>OLD</div></blockquote></div>",
    "thunderbird": (
        "<div class='moz-cite-prefix'>Blah 1 blah<br></div><blockquote type='cite' cite='mid:x'>OLD</blockquote>"
    ),
    "yahoo": f"<div id='yahoo_quoted_123' class='yahoo_quoted'><div>{ATTRIBUTION_HTML}</div><div>OLD</div></div>",
    "yahoo by id": "<div id='ydp1yahoo'></div><div id='yahoo_quoted_0123'>OLD</div>",
    "proton": (
        "<div class='protonmail_quote'>Blah<blockquote class='protonmail_quote' type='cite'>OLD</blockquote></div>"
    ),
    "zimbra": f"<hr data-marker='__DIVIDER__'><div data-marker='__QUOTED_TEXT__'>{OUTLOOK_BLOCK}<br>OLD</div>",
    "spark": f"<div name='messageReplySection'>{ATTRIBUTION_HTML}<br><blockquote type='cite'>OLD</blockquote></div>",
    "mail.ru": (
        "<br>Понедельник, 4 марта 2024, 15:04 +03:00 от Bob &lt;b@example.ru&gt;:<br><blockquote>OLD</blockquote>"
    ),
    "original message": "<p>-----Original Message-----</p><p>OLD</p>",
    "plain text in pre": "<pre>\n-----Ursprüngliche Nachricht-----\n\nOLD</pre>",
    "copied ids": f"<div id='x_divRplyFwdMsg'>{OUTLOOK_BLOCK}</div><div>OLD</div>",
}


@pytest.mark.parametrize("thread", HTML_THREADS.values(), ids=HTML_THREADS)
def test_html_thread_is_quoted(thread: str) -> None:
    trimmed = trim_html(
        f"<html><head><style>p{{}}</style></head><body><p>Thank <b>you</b>, Bob</p>{thread}</body></html>"
    )

    assert trimmed.visible == "<p>Thank <b>you</b>, Bob</p>"
    assert "OLD" in trimmed.quoted


def test_html_words_below_and_between_quotes_are_kept() -> None:
    quote = "<blockquote type='cite'>{}</blockquote>"
    below = trim_html(f"<div>{ATTRIBUTION_HTML}</div>{quote.format('OLD')}<p>My answer</p>")
    inline = trim_html(
        f"<p>Hi</p><div>{ATTRIBUTION_HTML}</div>{quote.format('one?')}<p>First</p>{quote.format('two?')}<p>Second</p>"
    )
    gmail = trim_html(
        f"<div class='gmail_quote'>{ATTRIBUTION_HTML}<blockquote class='gmail_quote'>one?</blockquote><div>First</div>"
        "<blockquote class='gmail_quote'>two?</blockquote><div>Second</div></div>"
    )

    assert below.visible == "<p>My answer</p>"
    for trimmed in (inline, gmail):
        assert [word for word in ("one?", "First", "two?", "Second") if word in trimmed.visible] == [
            "one?",
            "First",
            "two?",
            "Second",
        ]
        assert "Mar 4, 2024" not in trimmed.visible


@pytest.mark.parametrize(
    "html",
    [
        "<div>FYI</div><div class='gmail_quote'>---------- Forwarded message ----------<br>From: Bob<br>x</div>",
        "<div>FYI<div>Begin forwarded message:</div><blockquote type='cite'><b>From:</b> Bob<br>x</blockquote></div>",
        "Message<blockquote class='gmail_quote'><div>indented by hand</div></blockquote>",
        (
            "<blockquote>Reply<div>On 11-Apr-2011, at 6:54 PM, Bob &lt;bob@example.com&gt; wrote:</div>"
            "<div>x</div></blockquote>"
        ),
        "<p>Just text</p>",
        "<img src='cid:screenshot'>",
    ],
)
def test_html_with_nothing_to_cut_is_unchanged(html: str) -> None:
    assert trim_html(html) == Trimmed(html, "", "")


def test_html_image_alone_is_a_reply() -> None:
    trimmed = trim_html("<div><img src='cid:screenshot'></div><blockquote type='cite'>OLD</blockquote>")

    assert trimmed.visible == '<div><img src="cid:screenshot"></div>'


def test_html_signature_is_apart() -> None:
    trimmed = trim_html(
        "<div>Hello</div><div class='gmail_signature'>Ann<br>Sales</div><blockquote type='cite'>OLD</blockquote>"
    )

    assert (trimmed.visible, trimmed.signature) == (
        "<div>Hello</div>",
        '<div class="gmail_signature">Ann<br>Sales</div>',
    )


def test_html_is_escaped_again() -> None:
    trimmed = trim_html("<p title='\"&lt;'>a &lt;b&gt; &amp;amp;</p><blockquote type='cite'>OLD</blockquote>")

    assert trimmed.visible == '<p title="&quot;&lt;">a &lt;b&gt; &amp;amp;</p>'


HOSTILE_HTMLS = {
    "nested": "<div>" * 100_000 + "x" + "</div>" * 100_000,
    "deep": "<div>" * 240 + "x" + "<i></i>" * 9_000,
    "deeper than libxml2 reads": "<div>" * 300 + "x" + "</div>" * 300 + "after",
    "containers": "<div class=gmail_quote>x" * 240 + "<b>y</b>" * 9_000,
    "borders": "<div style='border-top:solid 1pt'>" * 240 + "<i></i>" * 9_000,
    "attributes": "<div " + " ".join(f"a{number}=1" for number in range(90_000)) + ">x",
    "attributes after quotes": "<div a='>' " + " ".join(f"a{number}" for number in range(90_000)) + ">x",
    "lines": "<pre>" + "On \n" * 240_000 + "</pre>",
    "classes": "<div class='" + "a " * 400_000 + "'>x</div>",
    "open tags": "<" * 1_000_000,
}


@pytest.mark.parametrize("html", HOSTILE_HTMLS.values(), ids=HOSTILE_HTMLS)
def test_hostile_html_is_kept(html: str) -> None:
    assert trim_html(html) == Trimmed(html, "", "")


PIECES = st.sampled_from(ALL_SHAPES)
TAGS = st.sampled_from(
    "<div>|</div>|<blockquote>|</blockquote>|<div class='gmail_quote'>|<br>|<hr>|<p>|</p>|<b>|<div id='divRplyFwdMsg'>"
    "|<pre>|<td>|<table>|<img>|<!--|-->|<div class='gmail_signature'>|<frameset>|<body>|<![if x]>|<o:p>|<div a='"
    "|<div class='moz-cite-prefix'>|&lt;|\0|<style>".split("|")
)
HTML_MAILS = st.lists(st.one_of(TAGS, PIECES, st.text(max_size=20)), max_size=30).map("".join)


@given(HTML_MAILS)
def test_html_is_never_emptied(html: str) -> None:
    assert bool(trim_html(html).visible.strip()) == bool(html.strip())


@given(st.text(alphabet="ab", min_size=1), st.sampled_from(sorted(HTML_THREADS.values())))
def test_html_keeps_the_senders_words(words: str, thread: str) -> None:
    assert trim_html(f"<p>{words}</p>{thread}").visible == f"<p>{words}</p>"


@pytest.mark.parametrize("html", ["", " ", "<html></html>", "<!-- x -->", "\r\n"])
def test_html_without_words_is_unchanged(html: str) -> None:
    assert trim_html(html) == Trimmed(html, "", "")


@pytest.mark.parametrize("thread", HTML_THREADS.values(), ids=HTML_THREADS)
def test_what_is_shown_of_a_mail_without_a_text(thread: str) -> None:
    html = f"<div>NEW &amp; <b>short</b></div>{thread}"
    assert newly_written(to_text(html), html) == "NEW & short"


@pytest.mark.parametrize("html", ["<p>NEW", "<div>" * 2000 + "NEW", "<img src=x><p>NEW</p>", "NEW<div hidden></div>"])
def test_a_mail_without_a_thread_is_shown_as_it_is(html: str) -> None:
    assert newly_written("NEW", html) == "NEW"


def test_nothing_to_show_of_the_markup_shows_the_text() -> None:
    html = "<img src=x><blockquote type=cite>old</blockquote>"
    assert newly_written("old", html) == "old"
