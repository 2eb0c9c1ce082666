"""Who wrote a mail: a person, or a machine that must not be answered by ours."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.automatic import automatic_reason, may_acknowledge
from tickets.mail.automatic_words import is_automatic_subject, is_machine_address, is_unread_address
from tickets.mail.parsed import ParsedMail
from tickets.mail.parsing import parse

PERSON = "anna@customer.example"


def mail(
    *headers: str, sender: str = PERSON, subject: str = "Printer broken", body: str = "Please help."
) -> ParsedMail:
    head = "\r\n".join([f"From: {sender}", "To: support@desk.example", f"Subject: {subject}", *headers])
    return parse(f"{head}\r\n\r\n{body}\r\n".encode())


def test_a_person_is_not_automatic_and_is_acknowledged() -> None:
    assert automatic_reason(mail(), PERSON) == ""
    assert may_acknowledge(mail(), PERSON)
    assert may_acknowledge(mail("Auto-Submitted: no", "Precedence: normal"), None)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("Auto-Submitted: AUTO-GENERATED (failure)", "auto-submitted"),
        ('Auto-Submitted: auto-replied; owner-email="a@b.example"', "auto-submitted"),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=x", "report"),
        ("Return-Path: <>", "null-return-path"),
        ("X-Autoreply: yes", "autoresponder"),
        ("X-Autorespond: Printer broken", "autoresponder"),
        ("X-POST-MessageClass: 9; Autoresponder", "autoresponder"),
        ("List-Id: News <news.example.org>", "list"),
        ("Precedence: bulk", "precedence"),
        ("Precedence: auto_reply", "precedence"),
        ("Precedence: junk", "precedence"),
        ("X-Helpdesk-Instance: desk-1", "own-instance"),
    ],
)
def test_headers_that_say_so(header: str, reason: str) -> None:
    assert automatic_reason(mail(header), None) == reason
    assert not may_acknowledge(mail(header), None)


@pytest.mark.parametrize("path", ["", "<>", " <> "])
def test_null_envelope_sender(path: str) -> None:
    assert automatic_reason(mail(), path) == "null-return-path"


def test_the_envelope_outranks_the_header_anyone_can_write() -> None:
    assert automatic_reason(mail("Return-Path: <>"), PERSON) == ""


def test_only_our_own_instance_is_a_loop_where_it_is_known() -> None:
    foreign = mail("X-Helpdesk-Instance: another-desk")
    assert automatic_reason(foreign, PERSON, "desk-1") == ""
    assert automatic_reason(mail("X-Helpdesk-Instance: desk-1"), PERSON, "desk-1") == "own-instance"


@pytest.mark.parametrize("value", ["All", "OOF", "AutoReply", "DR, NDR, RN, NRN, OOF, AutoReply"])
def test_suppressed_answers_are_still_a_persons_mail(value: str) -> None:
    suppressed = mail(f"X-Auto-Response-Suppress: {value}")
    assert automatic_reason(suppressed, PERSON) == ""
    assert not may_acknowledge(suppressed, PERSON)


def test_suppressed_receipts_do_not_forbid_an_acknowledgement() -> None:
    assert may_acknowledge(mail("X-Auto-Response-Suppress: DR, RN, NRN"), PERSON)


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("MAILER-DAEMON@mx.example", "daemon"),
        ("postmaster@mx.example", "daemon"),
        ("Mail Delivery <Mail.Delivery.System@mx.example>", "daemon"),
        ("root@web1.example", "daemon"),
        ("news-bounces@lists.example", "daemon"),
        ("no-reply@shop.example", "no-reply"),
        ("shop_noreply@shop.example", "no-reply"),
        ("DoNotReply@shop.example", "no-reply"),
        ("nicht-antworten@shop.example", "no-reply"),
        ("ne-pas-repondre@shop.example", "no-reply"),
    ],
)
def test_senders_nobody_reads(sender: str, reason: str) -> None:
    assert automatic_reason(mail(sender=sender), None) == reason
    assert not may_acknowledge(mail(sender=sender), None)


@pytest.mark.parametrize("local", ["casinoreply", "mariano.reply", "replynow", "owner", "rooty", "bouncer", "notify"])
def test_senders_that_only_look_like_it(local: str) -> None:
    assert not is_unread_address(f"{local}@customer.example")
    assert not is_machine_address(f"{local}@customer.example")


def test_a_web_form_that_answers_to_a_person_is_a_persons_mail() -> None:
    form = mail(f"Reply-To: {PERSON}", sender="no-reply@shop.example")
    assert automatic_reason(form, PERSON) == ""
    assert not may_acknowledge(form, PERSON)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Printer broken",
        "Auto-Reply: x",
        "AutoReply: x",
        "Automatic Response",
        "Out of Office AutoReply: Ticket 5",
        "Out of office",
        "Out of the office until Monday",
        "[EXTERNAL] Automatic reply: x",
        "Automatische Antwort: Drucker",
        "Abwesenheitsnotiz: Drucker",
        "Automatische Abwesenheitsbenachrichtigung",
        "Ich bin im Urlaub bis 3. Mai",
        "Nicht im Büro: Drucker",
        "Réponse automatique : imprimante",
        "REPONSE AUTOMATIQUE",
        "Absence du bureau",
        "Respuesta automática: impresora",
        "Fuera de la oficina",
        "Risposta automatica: stampante",
        "Fuori ufficio",
        "Automatisch antwoord: printer",
        "Afwezigheidsbericht",
        "Autosvar: skrivare",
        "Automatiskt svar: skrivare",
        "Frånvaro: skrivare",
        "Resposta automática: impressora",
        "Automatisk svar: printer",
        "Fraværsmelding",
        "Ikke til stede",
        "Odpowiedź automatyczna: drukarka",
        "Automatyczna odpowiedź",
        "Poza biurem",
        "Automaattinen vastaus: tulostin",
        "Poissaoloilmoitus",
        "Automatická odpověď: tiskárna",
        "Nepřítomnost",
    ],
)
def test_subjects_of_autoresponders(subject: str) -> None:
    assert automatic_reason(replace(mail(), subject=subject), PERSON) == "subject"


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Re: Automatic reply: Printer broken",
        "AW: Abwesenheitsnotiz",
        "Out of office printer jams",
        "Absence de facture",
        "Absence du produit commandé",
        "Automatic door does not open",
        "Automatische Türen klemmen",
        "Autos und Versicherung",
        "How do I set an automatic reply?",
        "Poissa käytöstä",
        "Vacation rental request",
    ],
)
def test_subjects_of_persons(subject: str) -> None:
    assert not is_automatic_subject(subject)


def test_an_encoded_subject_is_understood() -> None:
    assert automatic_reason(mail(subject="=?utf-8?q?R=C3=A9ponse_automatique_=3A_x?="), PERSON) == "subject"


def test_without_a_sender_nobody_is_acknowledged() -> None:
    assert not may_acknowledge(parse(b"Subject: hello\r\n\r\nhi\r\n"), PERSON)


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_words_are_survived(subject: str, email: str) -> None:
    assert is_automatic_subject(subject) in (True, False)
    assert is_unread_address(email) in (True, False)
    assert is_machine_address(email) in (True, False)
