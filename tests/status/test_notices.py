"""Subscribers hear of an update: who of it, once each, in which words; in the face of kills, bounces and refusals."""

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from status import bounces, distributing, incidents, mail_ids, notice_mails, notices
from status.incidents import Opening, Words
from status.models import Component, Distribution, Incident, IncidentUpdate, Notice, Subscriber
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, settle
from tests.fixtures.smtp_sink import SmtpSink
from tests.fixtures.status import component
from tests.fixtures.subscribers import subscriber, tell

pytestmark = pytest.mark.django_db


def _publish(company: Company, *affected: Component, at: datetime, body: str = "We look.", **more: object) -> Incident:
    states = {one.pk: "major_outage" for one in affected}
    words = Words("investigating", body, states, **more)  # type: ignore[arg-type]
    incident = incidents.open_incident(Opening("Disks gone", words), company.ada, at=at)
    settle(at)
    return incident


def _addresses(sink: SmtpSink) -> list[str]:
    return sorted(taken.rcpt_to[0] for taken in sink.taken)


def test_everybody_gets_one_mail_an_update(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    for number in range(120):
        subscriber(f"s{number}@x.example", at)
    web = component("web14", at)
    incident = _publish(company, web, at=at)

    assert tell(at) == 120
    assert tell(at) == 0
    assert len(set(_addresses(smtp_sink))) == len(smtp_sink.taken) == 120

    later = at + timedelta(hours=1)
    incidents.add_update(incident, Words("resolved", "New disks."), company.ada, at=later)
    settle(later)
    tell(later)
    assert len(smtp_sink.taken) == 240
    progress = distributing.progress(incident.updates.values_list("pk", flat=True), at=later)
    assert {(one.planned, one.sent, one.failed, one.waiting) for one in progress.values()} == {(120, 120, 0, 0)}
    assert not distributing.is_going_on()


def test_what_the_mail_says(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    subscriber("carol@acme.example", at, language="de")
    web = component("web14 <b>", at)
    incident = _publish(company, web, at=at, body="We **look** <script>alert(1)</script>\nat it: https://x.example/a")
    update = incident.updates.get()

    tell(at)

    (taken,) = smtp_sink.taken
    mail = taken.mail
    own = Subscriber.objects.get()
    assert mail["Message-ID"] == f"<{mail_ids.mail_id(update.public_id, own.pk)}>"
    assert taken.mail_from == mail_ids.return_path(own.pk)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<http") and "/status/unsubscribe/" in mail["List-Unsubscribe"]
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and html is not None
    said, shown = text.get_content(), html.get_content()
    assert "We **look** <script>alert(1)</script>" in said
    assert "<script>" not in shown and "<strong>look</strong>" in shown and "web14 &lt;b&gt;" in shown
    assert 'lang="de"' in shown
    assert f"/incidents/{incident.public_id}/" in said


def test_mails_about_one_incident_make_a_thread(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    subscriber("carol@acme.example", at)
    incident = _publish(company, at=at)
    tell(at)
    later = at + timedelta(hours=1)
    incidents.add_update(incident, Words("identified", "It is the disks."), company.ada, at=later)
    settle(later)
    tell(later)

    first, second = (taken.mail for taken in smtp_sink.taken)
    assert first["References"] == second["References"] != ""
    assert first["Message-ID"] != second["Message-ID"]


def test_a_worker_that_dies_repeats_nothing_and_loses_nothing(
    company: Company, at: datetime, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        subscriber(f"s{number}@x.example", at)
    _publish(company, at=at)

    class Killed(BaseException):
        pass

    # Right after a mail has left, and right before one leaves.
    hand_over, send = notices.hand_over, notice_mails._send
    dying = {"before": -1, "after": -1}

    def dies_before(due: notices.Due, *, at: datetime) -> None:
        if len(smtp_sink.taken) == dying["before"]:
            raise Killed
        hand_over(due, at=at)

    def dies_after(due: notices.Due, letter: object, *, at: datetime) -> bool | None:
        has_left = send(due, letter, at=at)  # type: ignore[arg-type]
        if len(smtp_sink.taken) == dying["after"]:
            raise Killed
        return has_left

    monkeypatch.setattr(notices, "hand_over", dies_before)
    monkeypatch.setattr(notice_mails, "_send", dies_after)
    when = at
    for dying["before"], dying["after"] in ((4, 3), (11, 9)):
        with pytest.raises(Killed):
            tell(when)
        with pytest.raises(Killed):
            tell(when := when + 2 * notices.LEASE)
        when += 2 * notices.LEASE
    dying |= {"before": -1, "after": -1}
    tell(when)

    assert len(_addresses(smtp_sink)) == len(set(_addresses(smtp_sink))) == 30
    assert not Notice.objects.exclude(status="sent").exists()
    assert Distribution.objects.get().sent == 30


def test_who_is_not_told(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    web, shop = component("web14", at), component("shop", at)
    subscriber("all@x.example", at)
    subscriber("web@x.example", at, web)
    subscriber("shop@x.example", at, shop)
    subscriber("pending@x.example", at, status="pending", confirmed_at=None)
    subscriber("ended@x.example", at, status="ended", ended_at=at)
    subscriber("later@x.example", at, confirmed_at=at + timedelta(seconds=1))
    _publish(company, web, at=at)
    _publish(company, web, at=at, tells=False)

    tell(at)
    assert _addresses(smtp_sink) == ["all@x.example", "web@x.example"]


def test_who_chose_a_group_hears_of_what_is_in_it(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    group = component("c01", at, is_group=True)
    web = component("web14", at, group=group)
    subscriber("group@x.example", at, group)
    _publish(company, web, at=at)
    tell(at)
    assert _addresses(smtp_sink) == ["group@x.example"]


def test_private_components_and_own_services(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    acme = company.carol.organization
    assert acme is not None
    site = acme.services.get(kind="website")
    assert site.parent is not None
    private, public = component("web-acme", at, is_private=True), component("mail", at)
    private.services.add(site.parent)
    subscriber("carol@acme.example", at, customer=company.carol)
    subscriber("own@acme.example", at, customer=company.carol, only_own=True)
    subscriber("gil@globex.example", at, customer=company.gil)
    subscriber("nobody@x.example", at)

    _publish(company, private, at=at)
    tell(at)
    assert _addresses(smtp_sink) == ["carol@acme.example", "own@acme.example"]

    smtp_sink.taken.clear()
    _publish(company, private, public, at=at)
    tell(at)
    named = {taken.rcpt_to[0]: "web-acme" in taken.raw.decode() for taken in smtp_sink.taken}
    assert named == {
        "carol@acme.example": True, "own@acme.example": True, "gil@globex.example": False, "nobody@x.example": False,
    }  # fmt: skip

    smtp_sink.taken.clear()
    _publish(company, public, at=at)
    tell(at)
    assert "own@acme.example" not in _addresses(smtp_sink)


def test_updates_within_a_minute_reach_who_waits_as_one(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    subscriber("a@x.example", at)
    incident = _publish(company, at=at)
    soon = at + timedelta(seconds=30)
    incidents.add_update(incident, Words("identified", "It is the disks."), company.ada, at=soon)
    settle(soon)
    tell(soon)

    (taken,) = smtp_sink.taken
    assert b"We look." in taken.raw and b"It is the disks." in taken.raw
    newest = IncidentUpdate.objects.latest("pk")
    assert newest.public_id in taken.mail["Message-ID"]
    assert Notice.objects.filter(status="sent").count() == 2
    assert not distributing.is_going_on()


def test_a_correction_before_it_is_sent_goes_out_corrected(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    subscriber("a@x.example", at)
    incident = _publish(company, at=at, body="The cat is gone.")
    distributing.plan(at, 10)
    incidents.correct(incident.updates.get(), "The disk is gone.", company.ada, at=at)
    tell(at)
    assert b"The disk is gone." in smtp_sink.taken[0].raw and b"cat" not in smtp_sink.taken[0].raw


def test_a_server_that_is_away_fails_nobody(company: Company, at: datetime, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "helpdesk.events.smtp_backend.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    for number in range(3):
        subscriber(f"s{number}@x.example", at)
    _publish(company, at=at)
    tell(at)
    assert set(Notice.objects.values_list("status", "attempts")) == {("pending", 0)}
    assert "not reached" in Notice.objects.order_by("pk")[0].error


def test_answers_of_the_server(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    subscriber("gone@x.example", at)
    _publish(company, at=at)
    smtp_sink.refusals["gone@x.example"] = "550 5.1.1 no such user"
    tell(at)
    assert Subscriber.objects.get().status == "suspended"
    assert Notice.objects.get().status == "failed"

    busy = subscriber("busy@x.example", at)
    incident = _publish(company, at=at)
    smtp_sink.answers.append("451 later")
    tell(at)
    waiting = Notice.objects.get(subscriber=busy, update__incident=incident)
    assert (waiting.status, waiting.sent_at, waiting.attempts) == ("pending", None, 1)
    tell(at + timedelta(minutes=2))
    assert _addresses(smtp_sink) == ["busy@x.example"]

    smtp_sink.answers.append("taken, then cut")
    incident = _publish(company, at=at + timedelta(hours=1))
    tell(at + timedelta(hours=1))
    tell(at + timedelta(days=1))
    lost = Notice.objects.get(subscriber=busy, update__incident=incident)
    assert lost.status == "failed" and "not known" in lost.error
    assert len(smtp_sink.taken) == 2


def test_who_ends_it_meanwhile_is_not_told(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    gone = subscriber("a@x.example", at)
    _publish(company, at=at)
    distributing.plan(at, 10)
    Subscriber.objects.filter(pk=gone.pk).update(status="ended", ended_at=at)
    tell(at)
    assert smtp_sink.taken == [] and not Notice.objects.exists() and not distributing.is_going_on()


def test_bounces_that_are_about_ours_suspend(company: Company, at: datetime) -> None:
    known = subscriber("a@x.example", at)
    forged = mail_ids.return_path(known.pk)[:-20] + "a" * 5 + "@demo.example"
    assert not bounces.came_back([forged, "<x@y>"], "gone", is_final=True, is_unknown=True, at=at)
    assert bounces.came_back([mail_ids.return_path(known.pk)], "full", is_final=True, is_unknown=False, at=at)
    known.refresh_from_db()
    assert (known.status, known.failing_since, known.trouble) == ("active", at, "full")
    later = at + timedelta(days=3)
    assert bounces.came_back([f"<{mail_ids.mail_id('abc', known.pk).upper()}>"], "full", is_final=True,
                             is_unknown=False, at=later)  # fmt: skip
    known.refresh_from_db()
    assert known.status == "suspended"


def test_ten_thousand_are_planned_in_a_few_statements(
    company: Company, at: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Subscriber.objects.bulk_create(
        Subscriber(
            kind="email", address=f"s{number}@x.example", status="active", confirmed_at=at, asked_at=at, created_at=at
        )
        for number in range(10_000)
    )
    _publish(company, at=at)
    with django_assert_max_num_queries(40):
        assert distributing.plan(at, 60) == 10_000
    assert Notice.objects.count() == 10_000
    assert distributing.plan(at, 60) == 0


def test_who_was_told_is_forgotten_and_how_many_is_not(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    subscriber("a@x.example", at)
    _publish(company, at=at)
    tell(at)
    assert distributing.forget(at) == 0
    assert distributing.forget(at + timedelta(days=1)) == 1
    assert Distribution.objects.get().sent == 1 and not Notice.objects.exists()
    assert tell(at) == 0


def test_a_bounce_that_comes_by_mail_is_told_on(company: Company, at: datetime, send_mail: Send) -> None:
    known = subscriber("gone@x.example", at)
    report = (
        f"From: MAILER-DAEMON@x.example\r\nTo: {mail_ids.return_path(known.pk)}\r\nSubject: Undelivered Mail\r\n"
        "Message-ID: <b1@x.example>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\n"
        "Final-Recipient: rfc822; gone@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--b--\r\n"
    )
    filed = send_mail(report.encode(), at=at, mail_from="", rcpt=mail_ids.return_path(known.pk))
    known.refresh_from_db()
    assert (filed.state, filed.reason) == ("bounce", "told on")
    assert known.status == "suspended" and "no such user" in known.trouble
