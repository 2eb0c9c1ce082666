"""Real SMTP against the real listener on a real PostgreSQL: what is said, and what is taken."""

import smtplib
import socket

import pytest
from django.conf import settings

from tests.fixtures.receiving import Listener, wait_until
from tests.tickets.mail.smtp_talk import SENDER, SUPPORT, kept, letter, session, talk
from tickets.mail.smtp import MAX_RECIPIENTS, _path
from tickets.models import InboundEmail, Mailbox

pytestmark = pytest.mark.usefixtures("support_mailbox")


def test_a_mail_is_kept_byte_for_byte_with_its_envelope(listener: Listener) -> None:
    body = "Grüße\r\n.\r.\r\n..\r\nlast".encode("latin-1") + b"\x00\xff" + b"x" * 300_000 + b"\r\n"
    with listener.smtp() as client:
        client.sendmail(SENDER, [SUPPORT, "HELP+x@DEMO.example"], letter(1, body), ["BODY=8BITMIME"])
    row = InboundEmail.objects.get()
    assert bytes(row.raw) == letter(1, body)
    assert (row.source, row.mail_from, row.rcpt_to) == ("smtp", SENDER, [SUPPORT, "HELP+x@DEMO.example"])
    assert (row.remote_ip, row.state, row.size) == ("127.0.0.1", "accepted", len(bytes(row.raw)))
    assert row.due_at is not None and row.due_at >= row.received_at


def test_the_same_mails_again_are_the_same_rows(listener: Listener) -> None:
    for _ in range(2):
        with listener.smtp() as client:
            for number in range(20):
                client.sendmail(SENDER, [SUPPORT], letter(number))
    assert len(kept()) == 20


def test_everything_sent_ahead_and_closed_is_taken(listener: Listener) -> None:
    heard = talk(listener, session(letter() + b".\r\n"), half_close=True)
    assert kept() == [letter()]
    assert heard.endswith(b"250 2.0.0 Kept\r\n221 2.0.0 Bye\r\n")


def test_a_mail_in_single_bytes(listener: Listener) -> None:
    with listener.raw() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in session(letter(1, b"..a\r\n.\n.\r\n...\r\n") + b".\r\n"):
            client.send(bytes([byte]))
        heard = b""
        while data := client.recv(4096):
            heard += data
    # ".\n.\r\n" ends nothing: only CRLF.CRLF does. Each line's first dot is the transport's.
    assert kept() == [letter(1, b".a\r\n\n.\r\n..\r\n")]


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n\r.\r\n", b"\x00\r\n.\x00\r\n"]
)
def test_smuggling_stays_one_mail(listener: Listener, end: bytes) -> None:
    smuggled = (
        b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<support@demo.example>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n"
    )
    talk(listener, session(letter(1, b"first" + end + smuggled) + b".\r\n"))
    mails = kept()
    assert len(mails) == 1
    assert b"evil@evil.example" in mails[0]


def test_two_mails_in_one_connection(listener: Listener) -> None:
    both = session(letter(1) + b".\r\n")[: -len(b"QUIT\r\n")] + session(letter(2) + b".\r\n")
    talk(listener, both)
    assert kept() == [letter(1), letter(2)]


def test_an_empty_mail(listener: Listener) -> None:
    talk(listener, session(b".\r\n"))
    assert kept() == [b""]


@pytest.mark.parametrize(
    "address",
    [
        "support@demo.example",
        "SUPPORT@Demo.Example",
        "support+anything@demo.example",
        "help@demo.example",
        "reply+abc@demo.example",
        "bounce+abc@demo.example",
        "postmaster@demo.example",
        "Postmaster",
        "@relay.example,@other.example:support@demo.example",
    ],
)
def test_our_addresses(listener: Listener, address: str) -> None:
    assert b"250 2.0.0 Kept" in talk(listener, session(letter() + b".\r\n", address.encode()))


@pytest.mark.parametrize(
    "address",
    [
        "nobody@demo.example",
        "support@other.example",
        "reply@demo.example",
        "bounce+@demo.example",
        "bounce+abc@other.example",
        "support@demo.example@evil.example",
        "a b",
        "\udcff@demo.example",
    ],
)
def test_addresses_of_others(listener: Listener, address: str) -> None:
    heard = talk(listener, session(b"QUIT\r\n", address.encode("utf-8", "surrogateescape")))
    assert b"\r\n550 5.1.1" in heard
    assert kept() == []


def test_a_mailbox_made_a_moment_ago(listener: Listener) -> None:
    assert b"550" in talk(listener, session(b"", b"new@demo.example"))
    Mailbox.objects.create(address="new@demo.example", name="New")

    def taken() -> bool:
        return b"250 2.0.0" in talk(listener, session(letter() + b".\r\n", b"new@demo.example"))

    wait_until(taken)
    assert kept() == [letter()]


def test_an_international_address(listener: Listener) -> None:
    Mailbox.objects.create(address="grüße@demo.example", name="Grüße")
    wait_until(lambda: b"2.0.0 Kept" in talk(listener, session(letter() + b".\r\n", "GRÜßE@demo.example".encode())))
    assert InboundEmail.objects.get().rcpt_to == ["GRÜßE@demo.example"]


def test_odd_senders(listener: Listener) -> None:
    for number, sender in enumerate(
        [b"<>", b'<"a > b"@x.example>', b"bare@x.example", b"<\xff\xfe@x.example> SIZE=10"]
    ):
        heard = talk(
            listener, session(letter(number) + b".\r\n").replace(b"<carol@acme.example>\r\nRCPT", sender + b"\r\nRCPT")
        )
        assert b"250 2.0.0 Kept" in heard, sender
    senders = list(InboundEmail.objects.order_by("pk").values_list("mail_from", flat=True))
    assert senders == ["", '"a > b"@x.example', "bare@x.example", "\ufffd\ufffd@x.example"]


def test_a_thousand_recipients(listener: Listener) -> None:
    with listener.smtp() as client:
        client.ehlo()
        client.mail(SENDER)
        codes = [client.rcpt(f"support+{number}@demo.example")[0] for number in range(1000)]
        assert codes == [250] * MAX_RECIPIENTS + [452] * (1000 - MAX_RECIPIENTS)
        assert client.data(letter())[0] == 250
    assert len(InboundEmail.objects.get().rcpt_to) == MAX_RECIPIENTS


def test_35_megabytes_are_taken_and_more_are_not(listener: Listener) -> None:
    limit: int = settings.MAIL_SIZE_LIMIT
    line = b"x" * 998 + b"\r\n"
    big = letter(1, line * (limit // len(line) - 1))
    with listener.smtp() as client:
        client.sendmail(SENDER, [SUPPORT], big)
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail(SENDER, [SUPPORT], b"x" * (limit + 1))
        assert refused.value.smtp_code == 552
        # Said nothing about its size before, and still gets an answer instead of a broken connection.
        client.docmd("MAIL", "FROM:<carol@acme.example>")
        client.docmd("RCPT", "TO:<support@demo.example>")
        assert client.data(letter(2, b"y" * (limit + 1)))[0] == 552
        assert client.sendmail(SENDER, [SUPPORT], letter(3)) == {}
    assert [len(mail) for mail in kept()] == [len(big), len(letter(3))]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"VRFY support", b"502"),
        (b"EXPN staff", b"502"),
        (b"AUTH PLAIN AGEAYg==", b"502"),
        (b"NONSENSE", b"500"),
        (b"\xff\xfe\xfd", b"500"),
        (b"", b"500"),
        (b"MAIL FROM:<a@b.example>", b"503"),
        (b"EHLO", b"501"),
        (b"DATA", b"503"),
        (b"x" * 100_000, b"500 5.5.2"),
        (b"NOOP", b"250"),
        (b"RSET", b"250"),
        (b"HELP", b"214"),
    ],
)
def test_other_commands(listener: Listener, said: bytes, answer: bytes) -> None:
    heard = talk(listener, said + b"\r\nQUIT\r\n").split(b"\r\n")
    assert heard[1].startswith(answer)
    assert heard[2].startswith(b"221")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (b"SIZE=1000 BODY=8BITMIME SMTPUTF8", b"250"),
        (b"SIZE=99999999999999999999999", b"552"),
        (b"SIZE=many", b"501"),
        (b"BODY=BINARYMIME", b"501"),
        (b"REQUIRETLS", b"555"),
        (b"AUTH=<> RET=HDRS ENVID=1", b"250"),
    ],
)
def test_parameters_of_mail(listener: Listener, parameters: bytes, code: bytes) -> None:
    heard = talk(listener, b"HELO c\r\nMAIL FROM:<a@b.example> " + parameters + b"\r\nQUIT\r\n").split(b"\r\n")
    assert heard[2].startswith(code)


def test_who_makes_mistakes_only_is_sent_away(listener: Listener) -> None:
    heard = talk(listener, b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n" + b"RCPT TO:<nobody@demo.example>\r\n" * 200)
    assert heard.count(b"550 ") <= 101
    assert heard.rstrip().endswith(b"421 4.7.0 Too many mistakes")


def test_lmtp_answers_for_each_recipient(listener: Listener) -> None:
    with smtplib.LMTP(str(listener.lmtp_path)) as client:
        client.ehlo()
        client.mail(SENDER)
        assert [client.rcpt(address)[0] for address in (SUPPORT, "no@demo.example", "help@demo.example")] == [
            250,
            550,
            250,
        ]
        client.putcmd("DATA")
        assert client.getreply()[0] == 354
        client.send(letter() + b".\r\n")
        assert [client.getreply()[0] for _ in range(2)] == [250, 250]
        client.putcmd("EHLO c")
        assert client.getreply()[0] == 500
    row = InboundEmail.objects.get()
    assert (row.source, row.rcpt_to, row.remote_ip) == ("lmtp", [SUPPORT, "help@demo.example"], None)


@pytest.mark.parametrize(
    "argument", ["FROM:<" + '"' * 4000, "FROM:<" + '"\\' * 2000, "FROM:" + " " * 4000, "FROM:<" + "a@" * 2000]
)
def test_a_hostile_path_is_read_in_one_pass(argument: str) -> None:
    assert _path(argument, "FROM") is None
