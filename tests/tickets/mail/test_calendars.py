"""What a calendar's part of a mail answers, however programs write it, and whatever is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.calendars import ANSWERS, Answer, answer, summarise


def _reply(attendee: str, *lines: str, method: str = "REPLY", uid: str = "UID:a@b.example") -> str:
    event = ["BEGIN:VEVENT", uid, attendee, *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", f"METHOD:{method}", *event, "END:VCALENDAR", ""])


def test_programs_write_it_differently() -> None:
    google = _reply(
        'ATTENDEE;CN=x;PARTSTAT=DECLINED;X-RESPONSE-COMMENT="No: ill":mailto:Nora@Cafe.example', "SEQUENCE:2"
    )
    apple = _reply(
        'ATTENDEE;CN="Nora, B";PARTSTAT="TENTATIVE":MAILTO:nora@cafe.example', "COMMENT:Later\\, perhaps\\n?"
    )
    folded = _reply("ATTENDEE;PARTSTAT=ACC\r\n EPTED:mailto:nora@cafe.ex\r\n\tample")

    assert answer(google) == Answer("a@b.example", "declined", "nora@cafe.example", 2, "No: ill")
    assert answer(apple) == Answer("a@b.example", "tentative", "nora@cafe.example", None, "Later, perhaps ?")
    assert answer(folded) == Answer("a@b.example", "accepted", "nora@cafe.example")


@pytest.mark.parametrize(
    "ics",
    [
        "",
        "no calendar",
        _reply("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example", method="REQUEST"),
        _reply("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example", method="COUNTER"),
        _reply("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:a@b.example"),
        _reply("ATTENDEE:mailto:a@b.example"),
        _reply("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example", uid="UID:"),
        _reply("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example", uid=f"UID:{'x' * 300}"),
    ],
)
def test_what_is_no_answer(ics: str) -> None:
    assert answer(ics) is None


@given(
    st.text(max_size=2000)
    | st.lists(st.sampled_from(["ATTENDEE", ";", '"', "=", ":", "\n ", "\n", "x" * 300])).map("".join)
)
def test_whatever_it_is_it_is_read(ics: str) -> None:
    found, shown = answer(f"METHOD:REPLY\nBEGIN:VEVENT\n{ics}"), summarise(ics)

    assert found is None or (found.says in ANSWERS and found.uid and "\n" not in found.words)
    assert all(line.isprintable() for line in shown.split("\n"))
