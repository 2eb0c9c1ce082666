"""notices: how soon an update for many subscribers is published, made notices of, and mailed, beside the bare SMTP
client that sends as many mails of that size over one connection.
"""

import smtplib
import time
from collections.abc import Iterator

from django.db import connection
from django.test import override_settings
from django.utils import timezone

from bench import ground
from bench.children import answers, child, free_port, wait_until
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from helpdesk.customers.models import User
from helpdesk.events import outbox
from status import distributing, incidents, notice_letters, notice_mails, sending
from status.incidents import Opening, Words
from status.models import Incident, IncidentUpdate, Notice, Subscriber
from status.notice_letters import Recipient

AIM_PUBLISHED_MS = 1000
_BODY = "Two disks of the array have failed. We are replacing them; websites on this server answer slowly. " * 3


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    subscribers, mails = sizes.of(100_000, 10_000), sizes.of(4_000, 800)
    at = timezone.now()
    Subscriber.objects.bulk_create(
        (
            Subscriber(
                kind="email",
                address=f"ops{number}@customer{number}.example",
                status="active",
                confirmed_at=at,
                asked_at=at,
                created_at=at,
            )
            for number in range(subscribers)
        ),
        batch_size=5_000,
    )
    incident = incidents.open_incident(
        Opening("Disks gone", Words("investigating", _BODY, tells=False)), User.objects.earliest("pk"), at=at
    )
    yield Row(
        "publish an update", "ms", compare({"ours": Contender(lambda _number: _published(incident))}), AIM_PUBLISHED_MS
    )
    yield Row(
        "make its notices", "notices/s", compare({"ours": Contender(_planned, lambda _number: _published(incident))})
    )
    port = free_port()
    with child(["-m", "bench.smtp_sink", str(port)]), _leaving_by(port):
        wait_until(lambda: answers(port, b"", rb"220"), "the sink's start")
        contenders: dict[str, Contender | None] = {
            "ours": Contender(lambda _number: _mailed(mails), lambda _number: _waiting(incident)),
            "bare": Contender(lambda _number: _bare(port, mails)),
        }
        yield Row("mail subscribers, one worker", "mails/s", compare(contenders))


def _published(incident: Incident) -> Sample:
    """What the request that publishes waits for; what follows is thrown away."""
    began = time.perf_counter()
    incidents.add_update(incident, Words("identified", _BODY), None, at=timezone.now())
    taken = (time.perf_counter() - began) * 1000
    while outbox.drain(timezone.now()):
        pass
    return Sample(taken, 1)


def _planned(_number: int) -> Sample:
    began = time.perf_counter()
    made = distributing.plan(timezone.now(), 600)
    return Sample(made / (time.perf_counter() - began), made)


def _waiting(incident: Incident) -> None:
    """An update whose notices wait, and no other."""
    Notice.objects.all().delete()
    _published(incident)
    distributing.plan(timezone.now(), 600)


def _mailed(count: int) -> Sample:
    began, tried = time.perf_counter(), 0
    while tried < count:
        tried += notice_mails.send_due(timezone.now(), min(sending.SECONDS, 1.0))
    return Sample(tried / (time.perf_counter() - began), tried)


def _bare(port: int, count: int) -> Sample:
    """The same mails, written beforehand."""
    update = IncidentUpdate.objects.latest("pk")
    told = notice_letters.Told(update.incident, [update], ())
    letter = notice_letters.write(told, "en", at=timezone.now())
    some = Subscriber.objects.order_by("pk")[:count]
    ready = [
        (one.address, notice_letters.fill(letter, Recipient(one.pk, one.key, one.address)).message().as_bytes())
        for one in some
    ]
    server = smtplib.SMTP("127.0.0.1", port)
    began = time.perf_counter()
    for address, content in ready:
        server.sendmail("status@demo.example", [address], content)
    taken = time.perf_counter() - began
    server.quit()
    return Sample(len(ready) / taken, len(ready))


def _leaving_by(port: int) -> override_settings:
    return override_settings(
        EMAIL_BACKEND="helpdesk.events.smtp_backend.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_HOST_USER="",
        EMAIL_HOST_PASSWORD="",
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
    )
