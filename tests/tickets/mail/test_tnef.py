"""winmail.dat, built here from the specification, and damaged in every way."""

import struct

from compressed_rtf import compress
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.parsing import parse
from tickets.mail.rtf import decompress, rtf_body
from tickets.mail.tnef import SIGNATURE, read_tnef

RTF = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 Gr\'fc\'dfe {\b bold}\par next \u8364?\par}"
WRAPPED = (
    rb"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}"
    rb"\htmlrtf {\htmlrtf0 Hello \htmlrtf \b\htmlrtf0 W\'f6rld{\*\htmltag72 </p>}"
    rb"\htmlrtf \par }\htmlrtf0}"
)


def attribute(level: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, kind, 0, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def prop(kind: int, key: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, key, 1, len(value)) + value + b"\x00" * (-len(value) % 4)


def properties(*items: bytes) -> bytes:
    return struct.pack("<I", len(items)) + b"".join(items)


def stream(*attributes: bytes) -> bytes:
    return SIGNATURE + b"\x00\x00" + b"".join(attributes)


WINMAIL = stream(
    attribute(1, 0x9007, struct.pack("<II", 1252, 0)),
    attribute(
        1, 0x9003, properties(prop(0x102, 0x1009, compress(RTF)), prop(0x1F, 0x1000, "Grüße".encode("utf-16-le")))
    ),
    attribute(2, 0x9002, b"\x00" * 14),
    attribute(2, 0x8010, b"SHORT~1.TXT\x00"),
    attribute(2, 0x800F, b"first file"),
    attribute(2, 0x9005, properties(prop(0x1F, 0x3707, "ä long name.txt\x00".encode("utf-16-le")))),
    attribute(2, 0x9002, b"\x00" * 14),
    attribute(2, 0x9005, properties(prop(0x1E, 0x3704, b"second.bin\x00"), prop(0x102, 0x3701, b"\x01\x02"))),
)


def test_files_and_text() -> None:
    found = read_tnef(WINMAIL)
    assert found is not None
    assert [(file.name, file.content) for file in found.files] == [
        ("ä long name.txt", b"first file"),
        ("second.bin", b"\x01\x02"),
    ]
    assert found.text == "Grüße"
    assert found.complete


def test_winmail_in_a_mail_is_replaced_by_what_it_holds() -> None:
    found = parse(b'From: a@b.example\r\nContent-Type: application/ms-tnef; name="winmail.dat"\r\n\r\n' + WINMAIL)
    assert [part.name for part in found.attachments] == ["ä long name.txt", "second.bin"]
    assert found.text == "Grüße"


def test_damaged_winmail_stays_beside_what_could_be_read() -> None:
    found = parse(b'From: a@b.example\r\nContent-Type: application/ms-tnef; name="winmail.dat"\r\n\r\n' + WINMAIL[:-8])
    assert [part.name for part in found.attachments] == ["ä long name.txt", "second.bin", "winmail.dat"]
    assert "TNEF attachment is damaged" in found.defects


def test_rich_text() -> None:
    assert decompress(compress(RTF)) == RTF
    assert rtf_body(RTF) == ("Grüße bold\nnext €", "")
    assert rtf_body(WRAPPED) == ("", "<p>Hello Wörld</p>")


@given(st.binary(max_size=300), st.integers(0, len(WINMAIL)), st.integers(0, 100))
def test_damage_never_raises(junk: bytes, position: int, cut: int) -> None:
    read_tnef(WINMAIL[:position] + junk + WINMAIL[position + cut :])
    read_tnef(SIGNATURE + junk)
    rtf_body(decompress(b"\x00" * 4 + struct.pack("<I4sI", 1_000, b"LZFu", 0) + junk))
    rtf_body(RTF[: position % len(RTF)] + junk)
