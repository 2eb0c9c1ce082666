"""The numbers behind /metrics: asked of PostgreSQL at each scrape, cheap at any size. No counting of big tables."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import connection
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from helpdesk.conversations.models import Conversation, Status
from helpdesk.events import outbox
from helpdesk.events.models import Heartbeat, Hook, OutboxEntry
from helpdesk.oncall import audit
from helpdesk.oncall.models import Page, PageDelivery
from social.models import Account, Arrival
from tickets.models import InboundEmail

# Counting stops here: beyond it the exact number matters to nobody, and the scrape stays cheap.
AT_MOST = 10_000
_ACTIVE = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
_WAITING_MAIL = (InboundEmail.State.ACCEPTED, InboundEmail.State.QUARANTINED)


def exposition(at: datetime) -> bytes:
    """The text Prometheus reads. Raises DatabaseError."""
    registry = CollectorRegistry()
    registry.register(_AtScrape(at))
    return generate_latest(registry)


class _AtScrape(Collector):
    def __init__(self, at: datetime) -> None:
        self._at = at

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._conversations()
        yield from self._outbox()
        yield from self._pages()
        yield from self._mail()
        yield from self._social()
        yield self._heartbeats()
        yield _gauge("helpdesk_hooks_quarantined", "Calls of providers that could not be read.", self._hooks())

    def _conversations(self) -> Iterator[Metric]:
        by_status = GaugeMetricFamily(
            "helpdesk_conversations", f"Conversations that are not done, counted up to {AT_MOST}.", labels=["status"]
        )
        for status in _ACTIVE:
            by_status.add_metric([status.value], Conversation.objects.filter(status=status)[:AT_MOST].count())
        yield by_status
        total = "All conversations, as the planner estimates them."
        yield _gauge("helpdesk_conversations_estimate", total, _estimate(Conversation._meta.db_table))
        lag = "Seconds the oldest running clock is past the time at which it should have been looked at."
        yield _gauge("helpdesk_clock_lag_seconds", lag, self._lag(audit.oldest_clock()))

    def _outbox(self) -> Iterator[Metric]:
        undone = OutboxEntry.objects.filter(done_at=None, gave_up_at=None)
        given_up = OutboxEntry.objects.filter(gave_up_at__isnull=False)
        due = undone.filter(due_at__lte=self._at)
        yield _gauge("helpdesk_outbox_waiting", "Outbox entries not done.", undone[:AT_MOST].count())
        yield _gauge("helpdesk_outbox_due", "Outbox entries that could run now.", due[:AT_MOST].count())
        oldest = "Seconds the oldest outbox entry is late."
        yield _gauge("helpdesk_outbox_lag_seconds", oldest, self._lag(outbox.oldest_due(self._at)))
        yield _gauge("helpdesk_outbox_given_up", "Outbox entries given up.", given_up[:AT_MOST].count())

    def _pages(self) -> Iterator[Metric]:
        pages = GaugeMetricFamily("helpdesk_pages_open", "Pages that are not resolved.", labels=["state"])
        for state in (Page.State.TRIGGERED, Page.State.ACKNOWLEDGED):
            # The partial index on dedup_key holds just these.
            still_open = Page.objects.exclude(state=Page.State.RESOLVED).filter(state=state)
            pages.add_metric([state.value], still_open[:AT_MOST].count())
        yield pages
        waiting = PageDelivery.objects.filter(state=PageDelivery.State.PENDING)
        yield _gauge("helpdesk_page_deliveries_waiting", "Page messages not sent yet.", waiting[:AT_MOST].count())
        lag = self._lag(audit.oldest_delivery(self._at))
        yield _gauge("helpdesk_page_delivery_lag_seconds", "Seconds the oldest page message is late.", lag)

    def _mail(self) -> Iterator[Metric]:
        mails = GaugeMetricFamily(
            "helpdesk_inbound_mail", f"Mail not filed, by state, counted up to {AT_MOST}.", labels=["state"]
        )
        for state in _WAITING_MAIL:
            mails.add_metric([state.value], InboundEmail.objects.filter(state=state)[:AT_MOST].count())
        yield mails
        total = "All mail in the ledger, as the planner estimates it."
        yield _gauge("helpdesk_inbound_mail_estimate", total, _estimate(InboundEmail._meta.db_table))

    def _social(self) -> Iterator[Metric]:
        accounts = GaugeMetricFamily(
            "helpdesk_social_accounts", "Accounts in use, by state.", labels=["network", "state"]
        )
        counted = Counter(Account.objects.filter(is_active=True).values_list("network", "state"))
        for (network, state), count in sorted(counted.items()):
            accounts.add_metric([network, state], count)
        yield accounts
        arrivals = GaugeMetricFamily(
            "helpdesk_social_arrivals", f"Arrivals not filed, by state, counted up to {AT_MOST}.", labels=["state"]
        )
        for state in (Arrival.State.ACCEPTED, Arrival.State.QUARANTINED):
            arrivals.add_metric([state.value], Arrival.objects.filter(state=state)[:AT_MOST].count())
        yield arrivals

    def _heartbeats(self) -> Metric:
        ages = GaugeMetricFamily("helpdesk_heartbeat_age_seconds", "Seconds since a part was heard.", labels=["part"])
        for name, heard in Heartbeat.objects.order_by("name").values_list("name", "at"):
            ages.add_metric([name], max((self._at - heard).total_seconds(), 0))
        return ages

    def _hooks(self) -> int:
        return Hook.objects.filter(state=Hook.State.QUARANTINED)[:AT_MOST].count()

    def _lag(self, due: datetime | None) -> float:
        return max((self._at - due).total_seconds(), 0) if due else 0


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def _estimate(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        return int(cursor.fetchone()[0])
