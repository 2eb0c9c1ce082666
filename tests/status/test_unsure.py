"""A worker dies as a mail leaves: whom it may not have reached is said, once it is known, and an agent sends again."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils import timezone

from status import distributing, incidents, notices
from status.incidents import Opening, Words
from status.models import Distribution, IncidentUpdate, Notice, Subscriber
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tests.fixtures.smtp_sink import SmtpSink
from tests.fixtures.subscribers import subscriber, tell

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    pass


def _killed_telling(monkeypatch: pytest.MonkeyPatch, address: str, at: datetime) -> None:
    """The mail to this one is written down as sent, and its worker dies before the dot that sends it."""
    hand_over = notices.hand_over

    def dies(due: notices.Due, *, at: datetime, has_left: bool = False) -> None:
        hand_over(due, at=at, has_left=has_left)
        if due.address == address:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(notices, "hand_over", dies)
        with pytest.raises(Killed):
            tell(at)


@pytest.fixture
def update(company: Company, at: datetime) -> IncidentUpdate:
    """Published, and ten are to be told of it."""
    for number in range(10):
        subscriber(f"s{number}@x.example", at)
    incident = incidents.open_incident(Opening("Disks gone", Words("investigating", "We look.")), company.ada, at=at)
    settle(at)
    return incident.updates.get()


def _reached(sink: SmtpSink) -> list[str]:
    return [taken.rcpt_to[0] for taken in sink.taken]


def test_only_the_mail_on_its_way_when_the_worker_died_is_in_doubt(
    update: IncidentUpdate, at: datetime, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_telling(monkeypatch, "s4@x.example", at)
    assert _reached(smtp_sink) == [f"s{number}@x.example" for number in range(4)]

    # While the dead worker's lease lasts, nobody knows that it is dead: it stays under way, and nothing is said.
    tell(at + notices.LEASE / 2)
    assert distributing.is_going_on() and distributing.failures(update.pk) == []

    tell(at + 2 * notices.LEASE)
    assert sorted(_reached(smtp_sink)) == [f"s{number}@x.example" for number in range(10) if number != 4]
    (lost,) = distributing.failures(update.pk)
    assert (lost.subscriber.address, lost.status, lost.error) == ("s4@x.example", "sent", notices.MAY_BE_LOST)
    ended = Distribution.objects.get()
    assert (ended.sent, ended.failed, ended.ended_at is not None) == (10, 0, True)
    assert not Notice.objects.exclude(leaving=None).exists()


def test_two_workers_that_die_leave_two_in_doubt(
    update: IncidentUpdate, at: datetime, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_telling(monkeypatch, "s4@x.example", at)
    later = at + 2 * notices.LEASE
    _killed_telling(monkeypatch, "s7@x.example", later)
    tell(later + 2 * notices.LEASE)

    in_doubt = [one.subscriber.address for one in distributing.failures(update.pk)]
    assert in_doubt == ["s4@x.example", "s7@x.example"]
    assert len(_reached(smtp_sink)) == len(set(_reached(smtp_sink))) == 8


def test_an_agent_sends_it_again_once(
    company: Company, update: IncidentUpdate, at: datetime, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_telling(monkeypatch, "s4@x.example", at)
    later = at + 2 * notices.LEASE
    tell(later)
    (lost,) = distributing.failures(update.pk)
    desk = Client()
    desk.force_login(company.grace)
    path = f"/desk/status/updates/{update.public_id}/"
    shown = desk.get(path).text
    assert "s4@x.example" in shown and "may not have arrived" in shown

    first, again = (desk.post(path, {"again": lost.pk}, follow=True).text for _press in range(2))
    assert "It is sent again." in first and "It is sent again." not in again
    going = Distribution.objects.get()
    assert (going.sent, going.ended_at) == (9, None)

    tell(timezone.now())
    assert _reached(smtp_sink).count("s4@x.example") == 1 and len(smtp_sink.taken) == 10
    ended = Distribution.objects.get()
    assert (ended.planned, ended.sent, ended.failed, ended.ended_at is not None) == (10, 10, 0, True)
    assert distributing.failures(update.pk) == []


def test_what_was_never_in_doubt_is_not_sent_again(update: IncidentUpdate, at: datetime, smtp_sink: SmtpSink) -> None:
    smtp_sink.refusals["s1@x.example"] = "554 5.7.1 we do not want this"
    tell(at)
    told = Notice.objects.get(update=update, subscriber__address="s0@x.example")
    refused = Notice.objects.get(update=update, subscriber__address="s1@x.example")

    assert refused.status == "failed"
    assert not notices.send_again(update.pk, told.pk, at=at)
    assert not notices.send_again(update.pk + 1, refused.pk, at=at), "another update's"
    Subscriber.objects.filter(address="s1@x.example").update(status="ended", ended_at=at)
    assert not notices.send_again(update.pk, refused.pk, at=at), "who has left is left alone"
    Subscriber.objects.filter(address="s1@x.example").update(status="active", ended_at=None)

    smtp_sink.refusals.clear()
    assert notices.send_again(update.pk, refused.pk, at=at)
    tell(at)
    assert len(smtp_sink.taken) == 10
    assert (Distribution.objects.get().sent, Distribution.objects.get().failed) == (10, 0)


def test_viewers_see_it_and_send_nothing(company: Company, update: IncidentUpdate, at: datetime) -> None:
    notice = Notice.objects.create(
        update=update, subscriber=Subscriber.objects.all()[0], kind="email", status="failed", error="gone", attempts=1
    )
    company.linus.role = company.linus.Role.VIEWER
    company.linus.save()
    desk = Client()
    desk.force_login(company.linus)
    path = f"/desk/status/updates/{update.public_id}/"
    assert "Send again" not in desk.get(path).text
    assert desk.post(path, {"again": notice.pk}).status_code == 403
    notice.refresh_from_db()
    assert notice.status == "failed"
