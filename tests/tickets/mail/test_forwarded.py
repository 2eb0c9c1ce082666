"""Whose mail was forwarded, as the mail programs of several languages write it."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.forwarded import ForwardedMail, forwarded_original
from tickets.mail.parsing import parse

TEXT = "my invoice 4711 is wrong.\n\nRegards\nMax"


def forwarded(subject: str, body: str, **headers: str) -> ForwardedMail | None:
    message = EmailMessage()
    message["From"], message["To"] = "Agnes Agent <agnes@desk.example>", "support@desk.example"
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return forwarded_original(parse(message.as_bytes()))


MARK = "---------- Forwarded message ---------\n"
GMAIL = MARK + "{0}: Max Muster <max@customer.example>\nDate: Mon, Jan 5, 2026 at 10:00 AM\n"
BLOCKS = {
    "gmail en": GMAIL.format("From") + "Subject: Invoice\nTo: <sales@desk.example>\nCc: Eve <eve@other.example>\n\n\n",
    "gmail de": GMAIL.format("Von") + "Subject: Invoice\nTo: Sales <sales@desk.example>\n\n\n",
    "outlook en": "From: Max Muster <max@customer.example> \nSent: Monday, January 5, 2026 10:00 AM\n"
    "To: Sales <sales@desk.example>\nSubject: Invoice\n\n",
    "outlook ruled": "________________________________\nFrom: Max Muster <max@customer.example>\n"
    "Sent: Monday, January 5, 2026 10:00 AM\nTo: Sales <sales@desk.example>\nSubject: Invoice\n\n",
    "outlook mailto": "-----Original Message-----\nFrom: Max Muster [mailto:max@customer.example] \n"
    "Sent: Monday, January 5, 2026 10:00 AM\nTo: sales@desk.example\nSubject: Invoice\n\n",
    "outlook de": "-----Ursprüngliche Nachricht-----\nVon: Max Muster <max@customer.example> \n"
    "Gesendet: Montag, 5. Januar 2026 10:00\nAn: Sales <sales@desk.example>\nBetreff: Invoice\n\n",
    "outlook fr": "De : Max Muster <max@customer.example>\nEnvoyé : lundi 5 janvier 2026 10:00\n"
    "À : Sales <sales@desk.example>\nObjet : Invoice\n\n",
    "outlook es": "De: Max Muster <max@customer.example>\nEnviado el: lunes, 5 de enero de 2026 10:00\n"
    "Para: Sales <sales@desk.example>\nAsunto: Invoice\n\n",
    "outlook it": "Da: Max Muster <max@customer.example>\nInviato: lunedì 5 gennaio 2026 10:00\n"
    "A: Sales <sales@desk.example>\nOggetto: Invoice\n\n",
    "outlook nl": "Van: Max Muster <max@customer.example>\nVerzonden: maandag 5 januari 2026 10:00\n"
    "Aan: Sales <sales@desk.example>\nOnderwerp: Invoice\n\n",
    "outlook pt": "De: Max Muster <max@customer.example>\nEnviado: segunda-feira, 5 de janeiro de 2026 10:00\n"
    "Para: Sales <sales@desk.example>\nAssunto: Invoice\n\n",
    "outlook bold": "*From:* Max Muster <max@customer.example<mailto:max@customer.example>>\n"
    "*Sent:* Monday, January 5, 2026 10:00 AM\n*To:* Sales <sales@desk.example>\n*Subject:* Invoice\n\n",
    "apple": "Begin forwarded message:\n\nFrom: Max Muster <max@customer.example>\nSubject: Invoice\n"
    "Date: 5 January 2026 at 10:00:00 CET\nTo: sales@desk.example\n\n",
    "apple de": "Anfang der weitergeleiteten Nachricht:\n\nVon: Max Muster <max@customer.example>\nBetreff: Invoice\n"
    "Datum: 5. Januar 2026 um 10:00:00 MEZ\nAn: sales@desk.example\n\n",
    "thunderbird en": "-------- Forwarded Message --------\nSubject: \tInvoice\n"
    "Date: \tMon, 5 Jan 2026 10:00:00 +0100\nFrom: \tMax Muster <max@customer.example>\nTo: \tsales@desk.example\n\n",
    "thunderbird de": "-------- Weitergeleitete Nachricht --------\nBetreff: \tInvoice\n"
    "Datum: \tMon, 5 Jan 2026 10:00:00 +0100\nVon: \tMax Muster <max@customer.example>\nAn: \tsales@desk.example\n\n",
    "thunderbird fr": "-------- Message transféré --------\nSujet : \tInvoice\n"
    "Date : \t5 Jan 2026 10:00:00 +0100\nDe : \tMax Muster <max@customer.example>\nPour : \tsales@desk.example\n\n",
    "yahoo": "----- Forwarded Message -----\nFrom: Max Muster <max@customer.example>\nTo: sales@desk.example\n"
    "Sent: Monday, January 5, 2026 at 10:00:00 AM GMT+1\nSubject: Invoice\n",
}


@pytest.mark.parametrize("program", BLOCKS)
def test_mail_programs(program: str) -> None:
    result = forwarded("Fwd: Invoice", f"Please help him.\n\n{BLOCKS[program]}{TEXT}\n")
    assert result is not None
    assert (result.sender.name, result.sender.email) == ("Max Muster", "max@customer.example")
    assert (result.subject, result.text, result.note) == ("Invoice", TEXT, "Please help him.")


def test_apple_quotes_the_mail() -> None:
    block = BLOCKS["apple"].removeprefix("Begin forwarded message:\n\n")
    quoted = "\n".join(f"> {line}" for line in f"{block}{TEXT}".splitlines())
    result = forwarded("Fwd: Invoice", f"Please help him.\n\nBegin forwarded message:\n\n{quoted}\n")
    assert result is not None
    assert (result.sender.email, result.text, result.note) == ("max@customer.example", TEXT, "Please help him.")


@pytest.mark.parametrize(
    "prefix", ["Fwd:", "FW:", "Fw:", "WG:", "TR:", "RV:", "ENC:", "I:", "[EXT] Fwd:", "VS:", "Fwd: Re:"]
)
def test_forwarding_prefixes(prefix: str) -> None:
    assert forwarded(f"{prefix} Invoice", BLOCKS["outlook en"] + TEXT) is not None


def test_the_outermost_block_names_the_sender() -> None:
    inner = f"{MARK}From: Ina <ina@third.example>\nDate: Sun, Jan 4, 2026\nSubject: Old\n\nold\n"
    result = forwarded("Fwd: Invoice", f"see ina@third.example\n\n{BLOCKS['gmail en']}{TEXT}\n\n{inner}")
    assert result is not None
    assert result.sender.email == "max@customer.example"
    assert inner.strip() in result.text


@pytest.mark.parametrize(
    ("value", "name", "email"),
    [
        ('"other@third.example" <max@customer.example>', "", "max@customer.example"),
        ("max@customer.example", "", "max@customer.example"),
        ("max@customer.example<mailto:max@customer.example>", "", "max@customer.example"),
        ('"Muster, Max" <MAX@Customer.Example>', "Muster, Max", "max@customer.example"),
        ("list@lists.example On Behalf Of Max <max@customer.example>", "", "max@customer.example"),
    ],
)
def test_from_lines(value: str, name: str, email: str) -> None:
    result = forwarded("Fwd: x", BLOCKS["outlook en"].replace("Max Muster <max@customer.example>", value) + TEXT)
    assert result is not None
    assert (result.sender.name, result.sender.email) == (name, email)


def test_a_from_line_without_an_address_gives_nobody() -> None:
    block = BLOCKS["outlook en"].replace("Max Muster <max@customer.example>", "Max Muster")
    assert forwarded("Fwd: x", block + TEXT + "\n\n" + BLOCKS["outlook de"]) is None


def test_an_announced_block_counts_without_a_prefix() -> None:
    assert forwarded("Wrong invoice", BLOCKS["gmail en"] + TEXT) is not None
    assert forwarded("Wrong invoice", BLOCKS["outlook en"] + TEXT) is None


@pytest.mark.parametrize("subject", ["Re: Invoice", "AW: WG: Invoice", "RE: Fwd: Invoice", "Antw: Invoice"])
def test_answers_forward_nothing(subject: str) -> None:
    assert forwarded(subject, f"Thanks.\n\n{BLOCKS['outlook en']}{TEXT}") is None
    assert forwarded(subject, f"Thanks.\n\n{BLOCKS['gmail en']}{TEXT}") is None


def test_plain_mail_forwards_nothing() -> None:
    assert forwarded("Invoice", TEXT) is None
    assert forwarded("Fwd: Invoice", TEXT) is None
    assert forwarded("Fwd: trip", "From: Berlin\nTo: Paris\n\nBook it.\n") is None


WEB_PAGES = {
    "outlook": "<div><p>Please help him.</p><p>&nbsp;</p><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p>"
    "<b>Von:</b> Max Muster &lt;max@customer.example&gt; <br><b>Gesendet:</b> Montag, 5. Januar 2026 10:00<br>"
    "<b>An:</b> Sales &lt;sales@desk.example&gt;<br><b>Betreff:</b> Invoice</p></div><p>It is wrong.</p></div>",
    "gmail": "<div dir='ltr'>Please help him.<br><br><div class='gmail_quote'><div dir='ltr' class='gmail_attr'>"
    "---------- Forwarded message ---------<br>From: <strong>Max Muster</strong> <span>&lt;"
    "<a href='mailto:max@customer.example'>max@customer.example</a>&gt;</span><br>"
    "Date: Mon, Jan 5, 2026 at 10:00 AM<br>Subject: Invoice<br>"
    "To: &lt;sales@desk.example&gt;<br></div><br><br>It is wrong.</div></div>",
    "thunderbird": "<p>Please help him.</p><div class='moz-forward-container'><br>"
    "-------- Weitergeleitete Nachricht --------<table><tr><th>Betreff: </th><td>Invoice</td></tr>"
    "<tr><th>Datum: </th><td>5 Jan 2026 10:00:00</td></tr>"
    "<tr><th>Von: </th><td>Max Muster <a href='mailto:max@customer.example'>&lt;max@customer.example&gt;</a></td></tr>"
    "<tr><th>An: </th><td>sales@desk.example</td></tr></table><br><br>It is wrong.</div>",
}


@pytest.mark.parametrize("program", WEB_PAGES)
def test_mail_of_html_alone(program: str) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "agnes@desk.example", "WG: Invoice"
    message.set_content(WEB_PAGES[program], subtype="html")
    result = forwarded_original(parse(message.as_bytes()))
    assert result is not None
    assert (result.sender.name, result.sender.email) == ("Max Muster", "max@customer.example")
    assert (result.subject, result.text, result.note) == ("Invoice", "It is wrong.", "Please help him.")


def attached(subject: str, count: int) -> ForwardedMail | None:
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "Max Muster <max@customer.example>", "Invoice"
    inner.set_content(TEXT)
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = "agnes@desk.example", "support@desk.example", subject
    outer.set_content("Please help him.")
    for _ in range(count):
        outer.add_attachment(inner)
    return forwarded_original(parse(outer.as_bytes()))


def test_an_attached_message() -> None:
    for subject in ("Fwd: Invoice", "Look at this"):
        result = attached(subject, 1)
        assert result is not None
        assert (result.sender.name, result.sender.email) == ("Max Muster", "max@customer.example")
        assert (result.subject, result.text, result.note) == ("Invoice", TEXT, "Please help him.")


def test_several_attached_messages_need_a_forwarding_subject() -> None:
    assert attached("Fwd: two mails", 2) is not None
    assert attached("Two mails", 2) is None
    assert attached("Re: mail", 1) is None


@given(
    st.lists(
        st.sampled_from(["From: a@b.example", "To: x", "Subject: y", "Date: 1.1.2026", "---", "> From: q", "", "z"])
    )
)
def test_any_arrangement_is_survived(lines: list[str]) -> None:
    result = forwarded("Fwd: x", "\n".join(lines))
    assert result is None or "@" in result.sender.email


@pytest.mark.parametrize(
    "line", ["From: a@b.example\n", "> " * 50 + "\n", "---------- Forwarded message ---------\n", "<a@"]
)
def test_a_huge_mail_is_read_once(line: str) -> None:
    result = forwarded("Fwd: x", line * 20_000)
    assert result is None or result.sender.email == "a@b.example"
