import os

from helpdesk.embedded.terminal import Terminal


def test_lines_are_named() -> None:
    reader, writer = os.pipe()
    terminal = Terminal(writer)
    terminal.say("one\ntwo", name="web")
    terminal.say("")
    os.close(writer)
    with os.fdopen(reader) as lines:
        assert lines.read() == "web           | one\nweb           | two\n\n"


def test_a_reader_who_does_not_read_stops_nobody_and_is_told_what_he_missed() -> None:
    reader, writer = os.pipe()
    terminal = Terminal(writer)
    for number in range(20_000):
        terminal.say(f"line {number}")
    text = os.read(reader, 1 << 20).decode()
    terminal.say("at last")
    rest = os.read(reader, 1 << 20).decode()
    os.close(writer)
    os.close(reader)
    shown = text.count("\n")
    assert 0 < shown < 20_000
    assert text.startswith("line 0\nline 1\n")
    assert rest == f"({20_000 - shown} lines not shown: nobody read them)\nat last\n"


def test_a_reader_who_went_away_stops_nobody() -> None:
    reader, writer = os.pipe()
    terminal = Terminal(writer)
    os.close(reader)
    terminal.say("anybody there?")
    terminal.say("no")
    os.close(writer)
