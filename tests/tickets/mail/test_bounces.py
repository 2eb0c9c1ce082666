"""Delivery reports: who, for good or for now, about which message, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.bounces import Bounce, read_bounce
from tickets.mail.parsing import parse

HEAD = (
    "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: bounce+abc234@desk.example\r\n"
    "Subject: Undelivered Mail Returned to Sender\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"
)
REPORT = HEAD + 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
ORIGINAL = (
    "--b\r\nContent-Type: message/rfc822\r\n\r\nReceived: from x\r\nMessage-ID: <t1.m2.sig@desk.example>\r\n"
    "From: support@desk.example\r\nSubject: Your ticket\r\n\r\nhello\r\n--b--\r\n"
)


def read(text: str) -> Bounce | None:
    raw = text.encode()
    return read_bounce(raw, parse(raw))


def found(text: str) -> Bounce:
    bounce = read(text)
    assert bounce is not None
    return bounce


def report(*fields: str, returned: str = ORIGINAL) -> str:
    block = "\r\n".join(fields)
    return (
        f"{REPORT}--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example\r\n\r\n{block}\r\n\r\n{returned}"
    )


def test_a_failed_recipient_with_everything_the_report_says() -> None:
    bounce = found(
        report(
            "Final-Recipient: rfc822; Max@Customer.Example",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 <max@customer.example>:\r\n    User unknown",
        )
    )
    (one,) = bounce.recipients
    assert (one.address, one.permanent, one.status) == ("max@customer.example", True, "5.1.1")
    assert one.diagnostic == "550 5.1.1 <max@customer.example>: User unknown"
    assert bounce.original_message_id == "<t1.m2.sig@desk.example>"
    assert bounce.verp == "bounce+abc234@desk.example"


@pytest.mark.parametrize("action", ["delayed", "Delayed", "delayed (will retry)"])
def test_a_delay_is_temporary(action: str) -> None:
    (one,) = found(report("Final-Recipient: rfc822;max@c.example", f"Action: {action}", "Status: 4.4.1")).recipients
    assert (one.permanent, one.status) == (False, "4.4.1")


def test_who_gave_up_gave_up_whatever_the_class_of_the_status() -> None:
    (one,) = found(report("Final-Recipient: rfc822;max@c.example", "Action: failed", "Status: 4.4.7")).recipients
    assert (one.permanent, one.status) == (True, "4.4.7")


@pytest.mark.parametrize(("status", "permanent"), [("5.2.2", True), ("4.2.2", False)])
def test_without_an_action_the_status_decides(status: str, permanent: bool) -> None:
    (one,) = found(report("Final-Recipient: rfc822;max@c.example", f"Status: {status}")).recipients
    assert one.permanent is permanent


def test_several_recipients_and_the_address_we_wrote_to() -> None:
    bounce = found(
        report(
            "Original-Recipient: rfc822;team@c.example",
            "Final-Recipient: rfc822;max@inner.example",
            "Action: failed",
            "Status: 5.1.1",
            "",
            "Final-Recipient: rfc822;<ina@c.example>",
            "Action: delayed",
            "",
            "Final-Recipient: rfc822;eve@c.example",
            "Action: delivered",
        )
    )
    assert [(one.address, one.permanent) for one in bounce.recipients] == [
        ("team@c.example", True),
        ("ina@c.example", False),
    ]


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_success_is_no_bounce(action: str) -> None:
    assert read(report("Final-Recipient: rfc822;max@c.example", f"Action: {action}", "Status: 2.0.0")) is None


def test_an_internationalised_report() -> None:
    text = report("Final-Recipient: utf-8; jürgen@c.example", "Action: failed", "Status: 5.1.1")
    bounce = found(text.replace("message/delivery-status", "message/global-delivery-status"))
    assert [one.address for one in bounce.recipients] == ["jürgen@c.example"]


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/global-headers"])
def test_only_the_headers_were_returned(kind: str) -> None:
    returned = f"--b\r\nContent-Type: {kind}\r\n\r\nSubject: x\r\nMessage-Id:\r\n <t1.m2.sig@desk.example>\r\n--b--\r\n"
    bounce = found(report("Final-Recipient: rfc822;m@c.example", "Action: failed", returned=returned))
    assert bounce.original_message_id == "<t1.m2.sig@desk.example>"


def test_a_report_in_a_gateways_wrapper() -> None:
    inner = report("Final-Recipient: rfc822;max@c.example", "Action: failed", "Status: 5.1.1")
    wrapper = (
        HEAD
        + 'Content-Type: multipart/mixed; boundary="w"\r\n\r\n'
        + f"--w\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--w--\r\n"
    )
    assert [one.address for one in found(wrapper).recipients] == ["max@c.example"]


def test_failed_recipients_in_a_header() -> None:
    bounce = found(
        HEAD + "X-Failed-Recipients: max@c.example, Ina@c.example\r\n\r\nThe following addresses failed:\r\n\r\n"
        "  max@c.example\r\n    SMTP error from remote mail server: 550 5.7.1 no relaying\r\n\r\n\r\n"
        "------ This is a copy of your message, including all the headers. ------\r\n\r\n"
        "Message-ID: <t1.m2.sig@desk.example>\r\nSubject: x\r\n"
    )
    assert [(one.address, one.permanent, one.status) for one in bounce.recipients] == [
        ("max@c.example", True, "5.7.1"),
        ("ina@c.example", True, ""),
    ]
    assert "no relaying" in bounce.recipients[0].diagnostic
    assert bounce.original_message_id == "<t1.m2.sig@desk.example>"


def test_the_words_of_qmail() -> None:
    bounce = found(
        HEAD.replace("Undelivered Mail Returned to Sender", "failure notice")
        + "\r\nHi. This is the qmail-send program at mx.example.\r\nI'm afraid I wasn't able to deliver your message "
        "to the following addresses.\r\nThis is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        "<max@c.example>:\r\n192.0.2.1 does not like recipient.\r\nRemote host said: 550 No such user here\r\n\r\n"
        "--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <t1.m2.sig@desk.example>\r\n"
    )
    (one,) = bounce.recipients
    assert (one.address, one.permanent, one.status) == ("max@c.example", True, "5.0.0")


def test_the_only_address_of_a_certain_bounce_in_another_language() -> None:
    head = HEAD.replace("Undelivered Mail Returned to Sender", "Unzustellbar: Ihre Anfrage")
    (one,) = found(head + "\r\nDie Nachricht an max@c.example konnte nicht zugestellt werden.\r\n").recipients
    assert one.address == "max@c.example"
    two = found(head + "\r\nDie Nachricht an max@c.example und ina@c.example kam nicht an.\r\n")
    assert two.recipients == ()


PERSON = "From: Anna <anna@c.example>\r\nTo: support@desk.example\r\n"


@pytest.mark.parametrize(
    "text",
    [
        PERSON + "Subject: Printer\r\n\r\nIt is broken.\r\n",
        PERSON + "Subject: Delivery status of my order\r\n\r\nWhere is it? Write to anna@c.example.\r\n",
        PERSON + "Subject: Fwd: Undelivered Mail Returned to Sender\r\n\r\nWhat is this?\r\n\r\n"
        "A message that you sent could not be delivered\r\n<max@c.example>:\r\n 550 unknown\r\n",
        PERSON
        + "Subject: Re: failure notice\r\nIn-Reply-To: <1@desk.example>\r\n\r\nYour message could not be delivered to "
        "max@c.example, you said.\r\n",
        PERSON + "Return-Path: <>\r\nSubject: Automatic reply: x\r\n\r\nI am away, write to max@c.example.\r\n",
        HEAD.replace("Undelivered Mail Returned to Sender", "Read: x")
        + "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n"
        + "--b\r\n\r\nread\r\n--b--\r\n",
    ],
)
def test_other_mail_is_no_bounce(text: str) -> None:
    assert read(text) is None


def test_a_bounce_a_person_attached_is_the_persons_mail() -> None:
    inner = report("Final-Recipient: rfc822;max@c.example", "Action: failed", "Status: 5.1.1")
    outer = (
        PERSON + 'Subject: I got this\r\nContent-Type: multipart/mixed; boundary="w"\r\n\r\n--w\r\n\r\nsee\r\n--w\r\n'
    )
    assert read(f"{outer}Content-Type: message/rfc822\r\n\r\n{inner}\r\n--w--\r\n") is None


@given(st.binary(max_size=600))
def test_any_bytes_are_survived(body: bytes) -> None:
    raw = REPORT.encode() + b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + body
    bounce = read_bounce(raw, parse(raw))
    assert bounce is None or all("@" in one.address for one in bounce.recipients)


@pytest.mark.parametrize(
    "body",
    [
        'Content-Type: multipart/report; a="' + ';"' * 200_000 + "\r\n\r\nx",
        "\r\nA message that you sent could not be delivered\r\n" + "a@" * 300_000,
        "\r\nA message that you sent could not be delivered\r\n" + "a\r\n" * 200_000,
        "X-Failed-Recipients: " + "max@c.example," * 40_000 + "\r\n\r\nx",
        "".join(f"Content-Type: multipart/report; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(2_000)),
    ],
    ids=["parameters", "long line", "many lines", "many recipients", "deep"],
)
def test_giants_are_cut(body: str) -> None:
    raw = (HEAD + body).encode()
    bounce = read_bounce(raw, parse(HEAD.encode() + b"\r\nx"))
    assert bounce is None or len(bounce.recipients) <= 200
