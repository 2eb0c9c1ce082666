"""Counting text messages: alphabets, segments, and what fits into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.events.phone_numbers import caller, e164, language_of
from helpdesk.events.sms_text import LONGEST, count, is_plain, one_segment, plain


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments", "left"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a" * 160, "GSM-7", 160, 1, 0),
        ("a" * 161, "GSM-7", 161, 2, 145),
        ("a" * 306, "GSM-7", 306, 2, 0),
        ("a" * 307, "GSM-7", 307, 3, 152),
        ("€" * 80, "GSM-7", 160, 1, 0),
        ("€" * 81, "GSM-7", 162, 2, 143),
        # An escape is never parted: 76 fill 152 of 153.
        ("€" * 153, "GSM-7", 306, 3, 151),
        ("äöüßÄÖÜéèàñ¿¡£¥", "GSM-7", 15, 1, 145),
        ("ж" * 70, "UCS-2", 70, 1, 0),
        ("ж" * 71, "UCS-2", 71, 2, 63),
        ("😀" * 35, "UCS-2", 70, 1, 0),
        ("😀" * 36, "UCS-2", 72, 2, 61),
        ("ç", "UCS-2", 1, 1, 69),
        ("a\r\nb", "GSM-7", 3, 1, 157),
    ],
)
def test_counts(text: str, encoding: str, units: int, segments: int, left: int) -> None:
    found = count(text)
    assert (found.encoding, found.units, found.segments, found.left) == (encoding, units, segments, left)


def test_the_longest() -> None:
    assert not count("a" * LONGEST).is_too_long and count("a" * (LONGEST + 1)).is_too_long


@given(
    st.text(max_size=500),
    st.sampled_from(["", " Reply ACK 1234", " Reply ACK 9223372036854775807 or PASS 9223372036854775807"]),
)
def test_a_page_always_fits_into_one_segment(text: str, ending: str) -> None:
    made = one_segment(text, ending)
    assert is_plain(made) and count(made).segments <= 1 and made.endswith(ending)


def test_what_phones_write_is_told_plainly() -> None:
    assert plain("“Žižkov” – 5 °C … 😀") == '"Zizkov" - 5 °C ... ?'.replace("°", "?")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+49 151 23456789", "+4915123456789"),
        ("0049 (151) 234-567 89", "+4915123456789"),
        ("+1 (415) 867-5309", "+14158675309"),
        ("0151 23456789", ""),
        ("+0123456789", ""),
        ("+49151234567890123", ""),
        ("+49 x", ""),
        ("+" + "4" * 1000, ""),
    ],
)
def test_numbers(typed: str, number: str) -> None:
    assert e164(typed) == number


def test_withheld_numbers_are_nobody() -> None:
    for given_ in (
        "",
        "Anonymous",
        "Restricted",
        "+266696687",
        "sip:bob@example.org",
        "+7378742833",
        "unknown",
        "12345",
    ):
        assert caller(given_) == "", given_
    assert caller("+4915123456789") == "+4915123456789"
    assert [language_of(n) for n in ("+4930", "+33123", "+34123", "+351123", "+44123", "+81123", "")] == [
        *("de", "fr", "es", "pt", "en", "", "")
    ]
