"""Trimming plain text replies: every language and shape of quote, signatures, forwards, hostile input."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tickets.mail.quoted_shapes import (
    ALL_SHAPES,
    ATTRIBUTIONS,
    FORWARD_MARKERS,
    HEADER_BLOCKS,
    MOBILE_SIGNATURES,
    ORIGINAL_MARKERS,
    QUOTED_THREAD,
    REPLY,
    THREAD,
)
from tickets.mail.trimming import Trimmed, trim_text


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
@pytest.mark.parametrize("thread", [THREAD, QUOTED_THREAD], ids=["unmarked", "marked"])
def test_attribution_and_thread_are_quoted(attribution: str, thread: str) -> None:
    trimmed = trim_text(f"{REPLY}\n\n{attribution}\n\n{thread}\n")

    assert trimmed == Trimmed(REPLY, f"{attribution}\n\n{thread}", "")


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_words_above_below_and_between_quotes_are_kept(attribution: str) -> None:
    between = trim_text(f"Hi,\n\n{attribution}\n> one?\n\nFirst answer.\n\n> two?\n\nSecond answer.")
    below = trim_text(f"{attribution}\n{QUOTED_THREAD}\n\n{REPLY}")

    assert between.visible.split("\n\n") == ["Hi,", "> one?", "First answer.", "> two?", "Second answer."]
    assert below.visible == REPLY


@pytest.mark.parametrize("block", HEADER_BLOCKS.values(), ids=HEADER_BLOCKS)
@pytest.mark.parametrize("rule", ["", "________________________________\n", "\n ------------------------------\n\n"])
def test_header_block_cuts(block: str, rule: str) -> None:
    trimmed = trim_text(f"{REPLY}\n\n{rule}{block}\n\n{THREAD}")

    assert trimmed.visible == REPLY
    assert trimmed.quoted.endswith(f"{block}\n\n{THREAD}")


@pytest.mark.parametrize("marker", ORIGINAL_MARKERS)
def test_original_message_marker_cuts(marker: str) -> None:
    assert trim_text(f"{REPLY}\n\n{marker}\n\n{THREAD}") == Trimmed(REPLY, f"{marker}\n\n{THREAD}", "")


@pytest.mark.parametrize("signature", MOBILE_SIGNATURES)
def test_mobile_signature_is_apart(signature: str) -> None:
    alone = trim_text(f"{REPLY}\n\n{signature}")
    answered = trim_text(f"{REPLY}\n\n{signature}\n\n{ATTRIBUTIONS['en gmail']}\n{QUOTED_THREAD}")

    assert (alone.visible, alone.signature) == (REPLY, signature)
    assert (answered.visible, answered.signature) == (REPLY, signature)


@pytest.mark.parametrize("marker", FORWARD_MARKERS)
@pytest.mark.parametrize("note", ["", "FYI\n\n"], ids=["bare", "with a note"])
def test_forwarded_mail_is_kept(marker: str, note: str) -> None:
    text = f"{note}{marker}\n{HEADER_BLOCKS['en']}\n\n{THREAD}\n\n{ATTRIBUTIONS['en gmail']}\n{QUOTED_THREAD}"

    assert trim_text(text) == Trimmed(text, "", "")


def test_lines_broken_off_a_quote_belong_to_it() -> None:
    text = (
        f"{REPLY}\n\n{ATTRIBUTIONS['nl gmail']}\n\n"
        "> Vestibulum nec dui luctus, rhoncus tortor in, sodales ipsum and so\non it goes\n> to the end\n>\n"
        "> See ticket (https://example.com/action?\n_nonce=3dd518)\n>\n https://example.com/x >\n> bye"
    )

    assert trim_text(text).visible == REPLY


def test_signature_below_a_quote_is_no_answer() -> None:
    trimmed = trim_text(f"{REPLY}\n\n{ATTRIBUTIONS['en gmail']}\n\n{QUOTED_THREAD}\n\n-- \nAnn Lee")

    assert (trimmed.visible, trimmed.signature) == (REPLY, "-- \nAnn Lee")


@pytest.mark.parametrize(
    "words", ["2 pieces please", "10:30 is fine for me", "A 4 mm bolt will do", "At 10:30 is fine"]
)
@pytest.mark.parametrize("attribution", ["Bob wrote:", "Bob Stone <bob@example.com> wrote:"])
def test_words_right_above_an_attribution_are_kept(words: str, attribution: str) -> None:
    assert trim_text(f"{words}\n{attribution}\n> quoted").visible == words


def test_forward_below_an_attribution_is_thread() -> None:
    text = f"{REPLY}\n\n{ATTRIBUTIONS['de gmail']}\n\n{FORWARD_MARKERS[0]}\n{HEADER_BLOCKS['en']}"

    assert trim_text(text).visible == REPLY


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("reply On Wed, Apr 4, 2012 at 3:59 PM, bob@example.com wrote:\n> Hi", "reply"),
        ("bla - bla--- On Wed, Apr 4, 2012 at 3:59 PM, me@example.com wrote:\n> Hi", "bla - bla"),
        ("Thanks! On Wed, Apr 4, 2012 at 3:59 PM, Bob Stone from Sales\n<bob@example.com> wrote:\n> Hi", "Thanks!"),
        ("Größe: 4 m Am 04.03.2024 um 15:04 schrieb Bob <bob@example.de>:\n> Hi", "Größe: 4 m"),
    ],
)
def test_attribution_on_the_line_of_the_reply(text: str, visible: str) -> None:
    trimmed = trim_text(text)

    assert trimmed.visible == visible
    assert "Hi" in trimmed.quoted


@pytest.mark.parametrize(
    ("text", "visible", "signature"),
    [
        ("Hello\n\n-- \nAnn Lee\nSales", "Hello", "-- \nAnn Lee\nSales"),
        ("Hello\n--\nAnn", "Hello", "--\nAnn"),
        ("Hello\n\n—————\nAnn Lee\nSales\n+1 555 0123", "Hello", "—————\nAnn Lee\nSales\n+1 555 0123"),
        ("Hello\n\n____\nx mailing list\nhttp://l.example.com", "Hello", "____\nx mailing list\nhttp://l.example.com"),
        ("Hello\n\n--\nAnn Lee\n\nSent from my iPhone", "Hello", "--\nAnn Lee\n\nSent from my iPhone"),
        ("Sent from my iPhone", "Sent from my iPhone", ""),
        ("-- \nAnn", "-- \nAnn", ""),
    ],
)
def test_signature(text: str, visible: str, signature: str) -> None:
    assert trim_text(text) == Trimmed(visible, "", signature)


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote to you.\nOn blah we agree.",
        "Visit us\n>>> >>>  http://www.example.com <<<\nClick the link above",
        "Invitation:\n\nDate: Wednesday 3, October 2011\nTime: 7 : 00am\nAddress: 130 Fox St\n\nBring your ID.",
        "Please book\nFrom: Berlin\nTo: Paris\nDate: 4 March 2024\n\nThank you",
        "Key points\n----\n\n1. Faster\n\n----\n\nThe dashes above are sections.\n\n====\n\nSo are these signs.",
        "Service Expire Date\n-------------------\nRegistration Jun 27, 2018\nHosting Jun 28, 2018",
        "I'm writing because of:\n-- first point\n-- second point\n\nThanks!",
        "Here is another email\n\nSent from my desk, is much easier then my mobile phone.",
        "The notification was sent from my iPhone app to all users.\n\nPlease fix it.",
        "Timestamps:\n\n2024-01-15 14:30:25\n15.01.2024 14:30\nJan 15, 2024 at 14:30\n\nAll are just content.",
        "My friend wrote:\n\nThe server is down.",
        "At 10:30 the system wrote:\n\nERROR 17",
        "Please send the invoice of 2024-01-05 to ann@example.com:\n\n12 Fox Street",
        "The log says:\n> not a quote, a prompt\nand then it stops.",
        "I ran\n\n>>> import this\n>>> print(1)",
        "---- Enter Feedback Below ----\n\nThe experience was great.",
        "We use from: john@example.com\nand it is to: nobody",
        "<http://link1> <http://link2>",
        "The original message was lost.\n\nCan you send it again?",
        "I forwarded message 4 to you.\nForwarded message\nis the subject.",
        "You asked: 10:30 or 11:00?\nAnn said: 11:00\nSo I come at 11:00.",
    ],
)
def test_senders_own_words_are_never_cut(text: str) -> None:
    assert trim_text(text) == Trimmed(text, "", "")


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\r\n"])
def test_empty_text(text: str) -> None:
    assert trim_text(text).visible.strip() == ""


@pytest.mark.parametrize(
    "text", [QUOTED_THREAD, f"{ATTRIBUTIONS['en gmail']}\n\n{THREAD}", HEADER_BLOCKS["de"], ">", ":"]
)
def test_nothing_but_a_thread_is_shown(text: str) -> None:
    assert trim_text(text) == Trimmed(text, "", "")


def test_text_beyond_the_lines_looked_at_is_neither_lost_nor_shown_as_reply() -> None:
    marked = trim_text(f"{REPLY}\n\n{ATTRIBUTIONS['en gmail']}\n" + "> line\n" * 9000)
    unmarked = trim_text(f"{REPLY}\n\n{HEADER_BLOCKS['en']}\n" + "line\n" * 9000)
    below = trim_text(f"{ATTRIBUTIONS['en gmail']}\n" + "> line\n" * 9000 + "\nMy answer")

    assert marked.visible == unmarked.visible == REPLY
    assert marked.quoted.count("> line") == unmarked.quoted.count("line") == 9000
    assert below.visible.endswith("My answer")


HOSTILE_TEXTS = {
    "on": "On " * 330_000,
    "on lines": "On \n" * 250_000,
    "quotes": ">>>>" * 250_000,
    "quote lines": ">\n" * 500_000,
    "from lines": "From:\n" * 160_000,
    "wrote lines": "wrote:\n" * 140_000,
    "date lines": "2012-01-01 10:00 a@b.c:\n" * 40_000,
    "leads": ("On 1 On 1 " * 39 + "wrote:\n") * 2_500,
    "rules": "a\n---\n" * 160_000,
    "addresses": ("x" * 250 + "@" + "y" * 140 + ":\n") * 2_500,
    "brackets": "<" * 1_000_000,
    "spaces": " " * 1_000_000 + ":",
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_hostile_text_is_kept_whole(text: str) -> None:
    trimmed = trim_text(text)

    kept = sum(len("".join(piece.split())) for piece in (trimmed.visible, trimmed.quoted, trimmed.signature))
    assert trimmed.visible
    assert kept == len("".join(text.split()))


PIECES = st.sampled_from(ALL_SHAPES)
MAILS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=30).map("\n".join))


@given(MAILS)
@example("\x1c")
def test_text_is_never_emptied_nor_lost(text: str) -> None:
    trimmed = trim_text(text)

    assert bool(trimmed.visible.strip()) == bool(text.strip())
    kept = "".join("".join((trimmed.visible, trimmed.quoted, trimmed.signature)).split())
    dashes = str.maketrans("", "", "-–—_")
    assert sorted(kept.translate(dashes)) == sorted("".join(text.split()).translate(dashes))
