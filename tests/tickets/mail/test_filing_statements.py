"""What filing a mail costs: its statements are counted, so that none comes back unseen."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.fixtures.company import Company
from tests.fixtures.mailing import raw_mail
from tickets.mail import filing, ledger
from tickets.models import InboundEmail

pytestmark = pytest.mark.django_db

# Once for up to twenty mails.
BATCH = ["claim_mail", "mailboxes", "claim_mail"]
KNOWN = [
    "known_mail",
    "find_customer",
    "count_each",
    "planned_promises",
    "first_rows",
    "record_events",
    "note_mail",
    "settle_mail",
]


def _filed(at: datetime, *senders: str, text: str = "Our shop takes ten seconds a page.") -> list[str]:
    """The statements that filing a mail from each of these takes, by their names."""
    for sender in senders:
        raw = raw_mail(sender, text=text)
        arrived = ledger.Arrived("smtp", raw, sender, ("support@demo.example",), None, at)
        ledger.store([arrived], at=at)
    with CaptureQueriesContext(connection) as asked:
        assert filing.file_accepted(at) == len(senders)
    assert InboundEmail.objects.filter(state="filed").count() >= len(senders)
    statements = [query["sql"] for query in asked.captured_queries if "SAVEPOINT" not in query["sql"]]
    return [
        "mailboxes" if "tickets_mailbox" in sql else sql.split("(")[0].removeprefix("EXECUTE ") for sql in statements
    ]


def test_eight_statements_a_mail_and_one_for_a_new_customer(company: Company, at: datetime) -> None:
    _filed(at, "first@nowhere.example")  # calendars are read once
    new = [*KNOWN[:2], "make_customer", *KNOWN[2:]]
    assert _filed(at, "one@nowhere.example", "two@nowhere.example") == [*BATCH[:2], *new, *new, BATCH[2]]
    assert _filed(at, "one@nowhere.example", text="Again") == [*BATCH[:2], *KNOWN, BATCH[2]]


def test_a_word_that_may_be_a_machine_costs_one(company: Company, at: datetime) -> None:
    _filed(at, "first@nowhere.example")
    statements = _filed(at, "one@nowhere.example", text="Is web-17.nowhere.example down?")
    assert sorted(set(statements) - set(KNOWN) - set(BATCH)) == ["make_customer", "services_named"]
