"""Subject lines without their prefixes and tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.subjects import differs, is_forward, is_reply, normalise, opening, ticket_tag, without_prefixes


@pytest.mark.parametrize(
    "subject",
    [
        "Printer broken",
        "Re: Printer broken",
        "AW: WG: printer  BROKEN",
        "Re[2]: Printer broken",
        "RE (3): Printer broken",
        "Antw: Sv: VS: Printer broken",
        "TR : Printer broken",
        "R: I: Printer broken",
        "Rif: Odp: Printer broken",
        "RES: ENC: Printer broken",
        "回复：Printer broken",
        "[#4711] Printer broken",
        "Re: [#4711] Printer broken",
        "[users] Re: Printer broken [#4711]",
        "[EXTERNAL] [users] Fwd: Printer broken (fwd)",
    ],
)
def test_one_subject_in_many_clothes(subject: str) -> None:
    assert normalise(subject) == "printer broken"


@pytest.mark.parametrize("subject", ["Information: x", "Restart: x", "Trip: x", "Invoice: x", "Idea: x"])
def test_words_that_only_begin_like_a_prefix_stay(subject: str) -> None:
    assert normalise(subject) == subject.casefold()


def test_tags_alone_stay() -> None:
    assert normalise("[URGENT]") == "[urgent]"
    assert normalise("Re: [#12]") == ""


def test_the_authors_own_spelling_stays() -> None:
    assert without_prefixes("Fwd: AW: [#12] Drucker  KAPUTT") == "Drucker KAPUTT"


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Re: [#123] Printer", 123),
        ("Printer [#7][#8]", 7),
        ("Printer #123", None),
        ("[123] Printer", None),
        ("[#12a]", None),
        ("[#0]", None),
        ("[#٣]", None),
        ("[#" + "9" * 30 + "]", None),
        ("", None),
    ],
)
def test_ticket_tags(subject: str, number: int | None) -> None:
    assert ticket_tag(subject) == number


def test_answers_and_forwards() -> None:
    assert is_reply("AW: WG: x")
    assert not is_forward("AW: WG: x")
    assert is_forward("[EXT] WG: AW: x")
    assert not is_reply("Fwd: Re: x")
    assert not is_reply("Printer: re")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Printer broken", "Re: Printer broken"),
        ("Printer broken", "AW: [#5] Printer broken again since Monday"),
        ("Order 4711 not delivered", "Order 4711 still not delivered!"),
        ("", "anything"),
        ("Printer broken", "Re:"),
        ("Rechnung fasch", "Rechnung falsch"),
    ],
)
def test_the_same_thing(first: str, second: str) -> None:
    assert not differs(first, second)
    assert not differs(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Printer broken", "Re: New colleague needs an account"),
        ("Rechnung 17 falsch", "Zugang zum Portal gesperrt"),
        ("打印机坏了", "发票问题"),
    ],
)
def test_another_thing(first: str, second: str) -> None:
    assert differs(first, second)
    assert differs(second, first)


@given(st.text(max_size=2_000))
def test_normalising_is_stable_and_survives_anything(subject: str) -> None:
    bare = normalise(subject)
    assert len(bare) <= 20 * 500
    assert not differs(subject, subject)
    assert ticket_tag(subject) is None or ticket_tag(subject)


@pytest.mark.parametrize("piece", ["Re: ", "[x]", "[#1]", "[", "re", "Re[", "( "])
def test_giant_subjects(piece: str) -> None:
    assert isinstance(normalise(piece * 100_000), str)
    assert differs(piece * 100_000, "printer") in (True, False)


@pytest.mark.parametrize(
    ("subject", "called"),
    [
        ("Printer broken", "Printer broken"),
        ("Re: Printer  broken", "Printer broken"),
        ("AW: WG: Drucker KAPUTT", "Drucker KAPUTT"),
        ("Fwd: RE[2]: Printer (fwd)", "Printer"),
        ("回复：打印机", "打印机"),
        ("[EXTERNAL] Re: [users] Printer", "[EXTERNAL] [users] Printer"),
        ("Re: [URGENT] [URGENT] Server down", "[URGENT] Server down"),
        ("[URGENT]", "[URGENT]"),
        ("Re: [#12] Printer", "[#12] Printer"),
        ("I: drive is full", "I: drive is full"),
        (r"R:\share cannot be reached", r"R:\share cannot be reached"),
        ("[x] I: [y] drive", "[x] I: [y] drive"),
        ("R: I: Fattura", "R: I: Fattura"),
        ("I: Re: Fattura", "Fattura"),
        ("Restart: x", "Restart: x"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_what_a_new_conversation_is_called(subject: str, called: str) -> None:
    assert opening(subject, has_parent=False) == called


def test_a_letter_before_an_answer_is_a_prefix() -> None:
    assert opening("R: Fattura", has_parent=True) == "Fattura"
    assert opening("R: I: Fattura", has_parent=True) == "Fattura"


@given(st.text(alphabet="Re:[]I WGx#1 ", max_size=80), st.booleans())
def test_what_it_is_called_is_about_the_same(subject: str, has_parent: bool) -> None:
    called = opening(subject, has_parent=has_parent)

    assert not differs(subject, called)
    assert opening(called, has_parent=has_parent) == called or "[" in subject
