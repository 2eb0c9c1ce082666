"""accept: mails a second taken durably over real SMTP by one listener, beside bare INSERTs of the same bytes."""

import asyncio
from collections.abc import Iterator

from django.db import connection

from bench import bare, ground, smtp_load
from bench.children import answers, child, free_port, wait_until
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from tickets.models import InboundEmail

CONNECTIONS = 8
BYTES = 4500
AIM = 600


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    bare.create_tables()
    count = sizes.of(4000, 800)
    port = free_port()
    with child(["manage.py", "receive_mail_smtp"], SMTP_PORT=str(port), MAIL_DOMAIN="demo.example") as listener:
        wait_until(lambda: answers(port, b"", b"220"), "the listener's start")

        def ours(_number: int) -> Sample:
            before = InboundEmail.objects.count()
            seconds = asyncio.run(smtp_load.load(port, count, CONNECTIONS, BYTES))
            assert InboundEmail.objects.count() == before + count, "a mail was accepted and is not there"
            return Sample(count / seconds, count)

        def floor(number: int) -> Sample:
            rows = [
                (f"{number}.{n}", "carol@acme.example", smtp_load.mail(n, str(number), BYTES)) for n in range(count)
            ]
            return Sample(bare.rate(bare.ACCEPT, rows, CONNECTIONS), count)

        figures = compare({"ours": Contender(ours, processes=(listener.pid,)), "bare": Contender(floor)})
    yield Row("accept, SMTP, 8 connections", "mails/s", figures, AIM)
