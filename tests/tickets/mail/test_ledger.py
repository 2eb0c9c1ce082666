"""The ledger: one row a mail, whatever comes twice and whatever stands in the envelope."""

from datetime import datetime

import pytest
from django.db import DatabaseError, connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tickets.mail import ledger
from tickets.mail.ledger import Arrived
from tickets.models import InboundEmail

pytestmark = pytest.mark.django_db


def arrived(
    at: datetime, raw: bytes = b"mail", to: tuple[str, ...] = ("support@demo.example",), **more: str
) -> Arrived:
    return Arrived("smtp", raw, "carol@acme.example", to, "192.0.2.1", at, **more)


def test_ids_come_in_order_and_once_a_mail(at: datetime) -> None:
    first, second, again = ledger.accept([arrived(at, b"1"), arrived(at, b"2"), arrived(at, b"1")], at=at)
    assert (first, second) == (again, first + 1)
    assert ledger.accept([arrived(at, b"2"), arrived(at, b"3")], at=at)[0] == second
    assert InboundEmail.objects.count() == 3


def test_the_key_is_bytes_and_recipients_in_any_order_and_case(at: datetime) -> None:
    same = [arrived(at, to=("a@x.example", "B@x.example")), arrived(at, to=("b@X.example", "a@x.example"))]
    other = [arrived(at, to=("a@x.example",)), arrived(at, b"mai", to=("la@x.example",)), arrived(at, to=())]
    ids = ledger.accept([*same, *other], at=at)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_a_name_of_the_transport_is_the_key(at: datetime) -> None:
    ids = ledger.accept(
        [arrived(at, b"1", transport_key="imap:1:2:3"), arrived(at, b"2", transport_key="imap:1:2:3")], at=at
    )
    assert ids[0] == ids[1]
    long = ledger.accept([arrived(at, b"3", transport_key="x" * 1000)], at=at)
    assert len(InboundEmail.objects.get(pk=long[0]).transport_key) == 68


def test_what_has_an_error_is_quarantined_at_once(at: datetime) -> None:
    (pk,) = ledger.accept([arrived(at, error="unreadable\x00")], at=at)
    row = InboundEmail.objects.get(pk=pk)
    assert (row.state, row.error, row.due_at, row.settled_at) == ("quarantined", "unreadable ", None, at)


def test_nothing_is_nothing(at: datetime) -> None:
    assert ledger.accept([], at=at) == []


def test_trouble_is_the_callers(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tickets_inboundemail RENAME TO elsewhere")
    with pytest.raises(DatabaseError):
        ledger.accept([arrived(at)], at=at)


@given(
    raw=st.binary(max_size=300),
    sender=st.text(st.characters(), max_size=1200),
    recipients=st.lists(st.text(st.characters(), max_size=50), max_size=4),
    error=st.sampled_from(["", "\ud800\x00"]),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_and_any_envelope_can_be_kept(
    raw: bytes, sender: str, recipients: list[str], error: str, at: datetime
) -> None:
    InboundEmail.objects.all().delete()
    mail = Arrived("smtp", raw, sender, tuple(recipients), None, at, error=error)
    first = ledger.store([mail], at=at)
    assert ledger.store([mail], at=at) == first
    row = InboundEmail.objects.get(pk=first[0])
    assert (bytes(row.raw), len(row.rcpt_to), row.size) == (raw, len(recipients), len(raw))
