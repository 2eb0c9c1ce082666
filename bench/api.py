"""api: tickets a second opened over HTTP by four clients, beside a bare INSERT a ticket over four connections."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

from django.db import connection
from django.utils import timezone

from bench import bare, ground
from bench.children import answers, child, free_port, wait_until
from bench.mails import address, texts
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from helpdesk.customers import actions as customers
from helpdesk.customers.models import User

CLIENTS = 4
AIM = 200
SENDERS = 500


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    bare.create_tables()
    count = sizes.of(2000, 300)
    token = customers.create_token(User.objects.get(email="ada@demo.example"), at=timezone.now())
    port = free_port()
    # As docker-compose.yml runs it.
    serving = ["-m", "uvicorn", "helpdesk.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    serving += ["--workers", "2", "--no-access-log", "--lifespan", "off", "--log-level", "error"]
    bodies = texts(200, 120)
    with child(serving, PORT=str(port)) as server:
        alive = b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n"
        wait_until(lambda: answers(port, alive, rb"HTTP/1\.[01] 200"), "the server's start")
        _post(port, token, [_ticket("warm", number, bodies) for number in range(20)])

        def ours(number: int) -> Sample:
            tickets = [_ticket(f"run{number}", place, bodies) for place in range(count)]
            jobs = [lambda share=tickets[first::CLIENTS]: _post(port, token, share) for first in range(CLIENTS)]
            return Sample(bare.run_together(jobs, count), count)

        def floor(number: int) -> Sample:
            rows = [(f"bare {number}", address(n, "bare", SENDERS), bodies[n % len(bodies)]) for n in range(count)]
            return Sample(bare.rate(bare.OPEN, rows, CLIENTS), count)

        figures = compare({"ours": Contender(ours, processes=(server.pid,)), "bare": Contender(floor)})
    yield Row(f"api, POST by {CLIENTS} clients", "tickets/s", figures, AIM)


def _ticket(run: str, number: int, bodies: list[str]) -> bytes:
    body = bodies[number % len(bodies)]
    customer = {"email": address(number, run, SENDERS), "name": f"Person {number}"}
    return json.dumps({"subject": body[:50].replace("\n", " "), "text": body, "customer": customer}).encode()


def _post(port: int, token: str, tickets: list[bytes]) -> None:
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        for ticket in tickets:
            client.request("POST", "/api/v1/conversations/", ticket, headers)
            response = client.getresponse()
            said = response.read()
            assert response.status == 201, (response.status, said[:300])
