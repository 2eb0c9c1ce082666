"""Times as customers read them: the page's zone, the same everywhere; and when a maintenance is planned for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.translation import override

from status import announced, distributing, maintenances, notice_calls, notices, telling_words, times
from status.incidents import Opening, Words
from status.models import Incident, IncidentUpdate, StatusPage
from status.telling_words import Reader
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tests.fixtures.smtp_sink import SmtpSink
from tests.fixtures.subscribers import subscriber, tell

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_moment_names_its_zone_and_speaks_the_language() -> None:
    at = datetime(2026, 1, 12, 8, 5, tzinfo=UTC)
    assert times.moment(at, BERLIN) == "Jan. 12, 2026, 09:05 CET"
    with override("de"):
        assert times.moment(at, BERLIN) == "12. Januar 2026, 09:05 CET"
    assert times.moment(at, ZoneInfo("Asia/Kolkata")) == "Jan. 12, 2026, 13:35 IST"


@pytest.mark.parametrize(
    ("begins", "hours", "said"),
    [
        (datetime(2026, 1, 12, 8, tzinfo=UTC), 2, "Jan. 12, 2026, 09:00 – 11:00 CET"),
        (datetime(2026, 1, 12, 22, tzinfo=UTC), 2, "Jan. 12, 2026, 23:00 CET – Jan. 13, 2026, 01:00 CET"),
        # The clock goes forward at one, and back at one, UTC.
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 1, "March 29, 2026, 01:30 CET – 03:30 CEST"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 1, "Oct. 25, 2026, 02:30 CEST – 02:30 CET"),
    ],
)
def test_a_span_is_plain_even_where_the_clock_changes(begins: datetime, hours: int, said: str) -> None:
    assert times.span(begins, begins + timedelta(hours=hours), BERLIN) == said


def test_only_what_is_still_to_come_or_going_on_has_a_window() -> None:
    begins = datetime(2026, 1, 12, 8, tzinfo=UTC)
    planned = Incident(scheduled_for=begins, scheduled_until=begins + timedelta(hours=1))
    assert times.window(planned, BERLIN) == "When: Jan. 12, 2026, 09:00 – 10:00 CET"
    planned.resolved_at = begins
    assert times.window(planned, BERLIN) == ""
    assert times.window(Incident(), BERLIN) == ""


WINDOW = "When: Jan. 13, 2026, 03:30 – 05:30 IST"


@pytest.mark.django_db
def test_wherever_a_maintenance_is_told_it_says_when(company: Company, at: datetime, smtp_sink: SmtpSink) -> None:
    StatusPage.objects.update_or_create(pk=1, defaults={"timezone": "Asia/Kolkata", "changed_at": at})
    subscriber("carol@acme.example", at)
    begins = at + timedelta(hours=14)
    planned = maintenances.schedule(
        Opening(
            "New disks", Words("scheduled", "Away for a moment."), kind="maintenance",
            scheduled_for=begins, scheduled_until=begins + timedelta(hours=2),
        ),
        company.ada,
        at=at,
    )  # fmt: skip
    update = planned.updates.get()
    settle(at)
    assert distributing.plan(at, 10) == 1
    (due,) = notices.claim("email", 5, at=at, now=at)
    (told,) = notices.told([due]).values()
    assert WINDOW in notice_calls.text(told, "en", 500)
    notices.release([due], until=at)
    tell(at)
    mail = smtp_sink.taken[0].mail
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        said = part.get_content()
        assert WINDOW in said and "Jan. 12, 2026, 13:30 IST" in said, kind

    assert WINDOW in Client().get("/status/history.atom").text
    posted = announced.of_update(update.pk)
    assert posted is not None and f"(Scheduled, {WINDOW})" in posted.text
    _in_conversations(update, planned)


def _in_conversations(update: IncidentUpdate, planned: Incident) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    letter = telling_words.text(update, planned, Reader(7, "email", "Carol", zone=zone))
    assert f"(Scheduled):\n{WINDOW}\n\nAway" in letter
    short = telling_words.text(update, planned, Reader(7, "x", "Carol", zone=zone))
    assert short.startswith(f"New disks (Scheduled, {WINDOW}): Away")
