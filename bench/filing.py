"""file: mails a second made conversations by one worker, beside a bare INSERT a mail and django-helpdesk."""

import time
from collections.abc import Iterator

from django.db import connection
from django.utils import timezone

from bench import bare, ground
from bench.mails import mails
from bench.peers import django_helpdesk
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from tickets.mail import filing, ledger
from tickets.models import InboundEmail

AIM = 150
MAILS_A_SENDER = 4
# The text alone, as the helpdesks store it.
BARE_BODY = 1800
# The peer takes a minute for all of them; its rate does not depend on how many there are.
PEERS_SHARE = 8


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    bare.create_tables()
    count = sizes.of(2000, 400)
    senders = max(count // MAILS_A_SENDER, 1)
    peer = django_helpdesk.installed(sizes)

    def accept(number: int) -> None:
        _accept(list(mails(count, f"run{number}", senders)))

    def ours(_number: int) -> Sample:
        before = _filed()
        at = timezone.now()
        began = time.perf_counter()
        while filing.file_side_by_side(at):
            pass
        seconds = time.perf_counter() - began
        assert _filed() == before + count, "a mail was not filed"
        return Sample(count / seconds, count)

    bare_rows = [("Reference", sender, raw.decode()[:BARE_BODY]) for sender, raw in mails(count, "bare", senders)]

    def floor(_number: int) -> Sample:
        return Sample(bare.rate(bare.OPEN, bare_rows), count)

    def theirs(number: int) -> Sample:
        assert peer is not None, "only run where it is installed"
        some = max(count // PEERS_SHARE, 1)
        return peer.file_mail([raw for _, raw in mails(some, f"run{number}", max(some // MAILS_A_SENDER, 1))])

    contenders = {
        "ours": Contender(ours, accept),
        "bare": Contender(floor),
        "peer": Contender(theirs) if peer else None,
    }
    yield Row("file, one worker", "mails/s", compare(contenders), AIM)


def _filed() -> int:
    return InboundEmail.objects.filter(state=InboundEmail.State.FILED).count()


def _accept(found: list[tuple[str, bytes]]) -> None:
    at = timezone.now()
    for first in range(0, len(found), 100):
        ledger.store(
            [
                ledger.Arrived(
                    source="smtp",
                    raw=raw,
                    mail_from=sender,
                    rcpt_to=("support@demo.example",),
                    remote_ip=None,
                    received_at=at,
                )
                for sender, raw in found[first : first + 100]
            ],
            at=at,
        )
