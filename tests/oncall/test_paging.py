"""Pages from trigger to resolve: who is called, when again, and what a second or a late word changes."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.handling import Changes
from helpdesk.customers.models import User
from helpdesk.events import outbox
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.oncall import calls, paging
from helpdesk.oncall.models import EscalationPolicy, EscalationStep, NotificationRule, Page, PageDelivery, Urgency
from tests.fixtures.company import Company
from tests.fixtures.pages import after, keep, page, request
from tests.fixtures.providers import ROUTING_KEY

NIGHT = datetime(2026, 1, 12, 22, 0, tzinfo=UTC)
MORNING = datetime(2026, 1, 13, 7, 0, tzinfo=UTC)  # 08:00 in Berlin, when quiet hours end


@pytest.fixture
def pagerduty(settings: Settings) -> None:
    settings.PAGERDUTY_ROUTING_KEY = ROUTING_KEY


def called(found: Page) -> list[str]:
    waiting = found.deliveries.filter(action="trigger", state="pending").order_by("id")
    return [f"{d.channel}:{d.to}" for d in waiting]


def kinds() -> list[str]:
    return list(Event.objects.filter(kind__startswith="page.").order_by("id").values_list("kind", flat=True))


def test_a_request_nobody_takes_in_an_hour_calls_the_engineer(company: Company, at: datetime, pagerduty: None) -> None:
    conversation = request(company.carol, at)
    keep(after(at, minutes=59))
    assert not Page.objects.exists()
    keep(after(at, minutes=60, seconds=1))
    found = Page.objects.get()
    assert found.conversation_id == conversation.pk
    assert found.urgency == "high" and found.reasons[0]["kind"] == "dispatch"
    assert called(found) == ["pagerduty:default", "email:grace@demo.example"]


def test_one_page_gathers_its_reasons(company: Company, at: datetime) -> None:
    first = page(at=at)
    again = page(at=after(at, minutes=5), since=at)
    assert again.pk == first.pk and len(again.reasons) == 1, "the same reason twice changes nothing"
    more = page(at=after(at, minutes=6), kind="first_response")
    assert [reason["kind"] for reason in more.reasons] == ["dispatch", "first_response"]
    assert more.deliveries.count() == 1, "it has called already"
    assert kinds() == ["page.triggered", "page.extended"]


def test_only_a_more_severe_reason_calls_again(company: Company) -> None:
    low = page(at=NIGHT, urgency=Urgency.LOW)
    paging.acknowledge(low.pk, at=NIGHT, user=company.ada)
    page(at=after(NIGHT, minutes=1), urgency=Urgency.LOW, kind="again")
    assert Page.objects.get().state == "acknowledged"
    page(at=after(NIGHT, minutes=2), urgency=Urgency.HIGH, kind="breach")
    found = Page.objects.get()
    assert (found.state, found.urgency, found.round) == ("triggered", "high", 1)
    assert called(found) == ["email:grace@demo.example"]


def test_low_urgency_waits_out_the_night_and_gives_way_to_high(company: Company, pagerduty: None) -> None:
    low = page(at=NIGHT, urgency=Urgency.LOW)
    assert {d.due_at for d in low.deliveries.all()} == {MORNING}
    assert {d.promised_at for d in low.deliveries.all()} == {MORNING}, "what is meant to wait is not late"
    assert low.next_step_at is None, "it wakes nobody, so it does not escalate"
    page(at=after(NIGHT, hours=1), urgency=Urgency.HIGH, kind="breach")
    waiting = low.deliveries.filter(state="pending")
    assert {d.due_at for d in waiting} == {after(NIGHT, hours=1)}, (
        "the call for the morning is replaced, not waited for"
    )
    assert low.deliveries.filter(state="cancelled").count() == 2


def test_low_urgency_waits_until_the_office_opens_wherever_it_goes(
    company: Company, pagerduty: None, settings: Settings
) -> None:
    settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL = "xoxb-1", "C1"
    saturday, monday = datetime(2026, 1, 10, 14, tzinfo=UTC), datetime(2026, 1, 12, 7, tzinfo=UTC)
    reason = paging.Reason("after_hours", "asks", saturday, not_before=monday)
    found = paging.trigger("test:1", reason, urgency=Urgency.LOW, summary="asks", at=saturday)
    assert {d.channel: (d.promised_at, d.due_at) for d in found.deliveries.all()} == dict.fromkeys(
        ("pagerduty", "slack", "email"), (monday, monday)
    )
    paging.acknowledge(found.pk, at=saturday)
    paging.unacknowledge(found.pk, at=after(saturday, hours=1))
    assert {d.due_at for d in found.deliveries.filter(state="pending")} == {monday}, "called again it still waits"

    page(at=after(saturday, hours=2), kind="dispatch")
    high = found.deliveries.filter(state="pending")
    assert {d.due_at for d in high} == {after(saturday, hours=2)}, "high urgency waits for nothing"


def test_handled_after_the_opening_it_leaves_at_once_and_is_late_since_then(company: Company) -> None:
    saturday, monday = datetime(2026, 1, 10, 14, tzinfo=UTC), datetime(2026, 1, 12, 7, tzinfo=UTC)
    reason = paging.Reason("after_hours", "asks", saturday, not_before=monday)
    later = after(monday, hours=2)
    found = paging.trigger("test:1", reason, urgency=Urgency.LOW, summary="asks", at=later)
    assert [(d.promised_at, d.due_at) for d in found.deliveries.all()] == [(monday, later)]


def test_quiet_hours_that_end_after_the_opening_are_kept(company: Company) -> None:
    monday = datetime(2026, 1, 12, 7, tzinfo=UTC)
    NotificationRule.objects.filter(user=company.grace, urgency="low").update(quiet_until=time(9, 30))
    reason = paging.Reason("after_hours", "asks", NIGHT, not_before=monday)
    found = paging.trigger("test:1", reason, urgency=Urgency.LOW, summary="asks", at=after(monday, hours=-9))
    assert [d.due_at for d in found.deliveries.all()] == [after(monday, hours=1, minutes=30)]


def test_it_escalates_step_by_step_and_round_and_round(company: Company, at: datetime) -> None:
    found = page(at=at)
    callees = []
    for minutes in (10, 20, 30, 40):
        paging.escalate(after(at, minutes=minutes))
        found.refresh_from_db()
        callees += [d.to.partition("@")[0] for d in found.deliveries.filter(round=found.round)]
    assert callees == ["ada", "linus", "grace", "ada"]
    assert paging.escalate(after(at, minutes=45)) == 0


def test_a_policy_with_an_end_ends(company: Company, at: datetime) -> None:
    EscalationPolicy.objects.update(repeats=0)
    found = page(at=at)
    for minutes in (10, 20, 30, 40):
        paging.escalate(after(at, minutes=minutes))
    found.refresh_from_db()
    assert found.next_step_at is None and found.deliveries.count() == 3


def test_an_acknowledgement_nobody_acts_on_lapses(company: Company, at: datetime) -> None:
    found = page(at=at)
    paging.acknowledge(found.pk, at=after(at, minutes=1), user=company.grace)
    assert paging.escalate(after(at, minutes=30)) == 0
    assert paging.escalate(after(at, minutes=31)) == 1
    found.refresh_from_db()
    assert (found.state, found.step, found.round) == ("triggered", 0, 1)
    assert called(found) == ["email:grace@demo.example"]
    assert kinds()[-1] == "page.unacknowledged"


def test_taking_the_ticket_resolves_its_page(company: Company, at: datetime) -> None:
    conversation = request(company.carol, at)
    keep(after(at, minutes=61))
    changes = Changes(assignee=company.linus)
    conversations.change(conversation.pk, changes, actor=Actor.agent(company.linus), at=after(at, minutes=62))
    outbox.drain(after(at, minutes=62))
    found = Page.objects.get()
    assert found.state == "resolved" and found.next_step_at is None
    assert not found.deliveries.filter(state="pending").exists()


def test_resolving_tells_the_shared_channels_that_were_called(company: Company, at: datetime, pagerduty: None) -> None:
    found = page(at=at)
    found.deliveries.filter(channel="pagerduty").update(state="cancelled", attempts=1)  # tried, its end unknown
    paging.resolve(found.pk, at=after(at, minutes=1))
    assert list(found.deliveries.filter(action="resolve").values_list("channel", flat=True)) == ["pagerduty"]


def test_an_acknowledgement_never_opens_a_page_again(company: Company, at: datetime) -> None:
    found = page(at=at)
    paging.resolve(found.pk, at=at)
    assert paging.acknowledge(found.pk, at=at, user=company.grace).state == "resolved"
    assert page(at=after(at, minutes=1)).pk != found.pk, "what breaks again is a new page"


def test_nobody_on_call_means_the_fallback(company: Company, at: datetime) -> None:
    EscalationStep.objects.get(position=1).schedule.layers.all().delete()  # type: ignore[union-attr]
    assert called(page(at=at)) == ["email:ada@demo.example"]


def test_a_step_without_anybody_is_skipped_at_once(company: Company, at: datetime) -> None:
    User.objects.filter(pk__in=[company.grace.pk, company.ada.pk]).update(is_active=False)
    found = page(at=at)
    assert called(found) == ["email:linus@demo.example"] and found.step == 2


def test_with_all_steps_empty_everybody_is_called(company: Company, at: datetime) -> None:
    EscalationStep.objects.all().delete()
    found = page(at=at)
    assert sorted(called(found)) == [f"email:{name}@demo.example" for name in ("ada", "grace", "linus")]
    assert found.next_step_at == after(at, minutes=5)


def test_personal_rules_say_how_and_when(company: Company, at: datetime) -> None:
    NotificationRule.objects.filter(user=company.grace).delete()
    for channel, to, delay in (("email", "grace@home.example", 0), ("slack", "@grace", 120)):
        NotificationRule.objects.create(user=company.grace, urgency="high", channel=channel, to=to, delay_seconds=delay)
    found = page(at=at)
    assert {(d.to, d.due_at - at) for d in found.deliveries.all()} == {
        ("grace@home.example", timedelta(0)),
        ("@grace", timedelta(seconds=120)),
    }


def test_the_policy_is_the_one_of_the_beginning(company: Company, at: datetime) -> None:
    found = page(at=at)
    EscalationStep.objects.filter(position=2).update(user=company.linus)
    paging.escalate(after(at, minutes=10))
    assert called(found)[-1] == "email:ada@demo.example"


def test_a_page_that_stumbles_holds_up_no_other(company: Company, at: datetime) -> None:
    broken, sound = page("test:broken", at=at), page("test:sound", at=after(at, seconds=1))
    Page.objects.filter(pk=broken.pk).update(policy={"steps": [{"nonsense": 1}], "repeats": None})
    paging.escalate(after(at, minutes=11))
    sound.refresh_from_db()
    broken.refresh_from_db()
    assert sound.step == 1
    assert broken.next_step_at == after(at, minutes=11) + paging.STUMBLED


def test_many_alarms_at_once(company: Company, at: datetime) -> None:
    alarms = [
        paging.Alarm(
            dedup_key=f"test:{number % 60}",
            reason=paging.Reason("dispatch" if number < 60 else "first_response", "late", at),
            urgency=Urgency.HIGH,
            summary="late",
        )
        for number in range(120)
    ]
    pages = paging.trigger_all(alarms, at=at)
    assert len(pages) == Page.objects.count() == 60
    assert {len(found.reasons) for found in Page.objects.all()} == {2}
    assert PageDelivery.objects.count() == 60
    assert paging.trigger_all(alarms, at=after(at, minutes=1)).keys() == pages.keys()
    assert Event.objects.filter(kind__startswith="page.").count() == 120


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """Real transactions in threads of their own."""

    def run_together(self, *works: Callable[[], object]) -> None:
        barrier = threading.Barrier(len(works))
        errors: list[BaseException] = []

        def run(work: Callable[[], object]) -> None:
            try:
                barrier.wait(10)
                work()
            except BaseException as error:  # noqa: BLE001 - told to the test below
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not errors and not any(thread.is_alive() for thread in threads)

    def test_acknowledging_while_it_resolves_ends_resolved(self, company: Company, at: datetime) -> None:
        for number in range(8):
            found = page(f"test:{number}", at=at)
            self.run_together(
                lambda pk=found.pk: paging.acknowledge(pk, at=at, user=company.grace),
                lambda pk=found.pk: paging.resolve(pk, at=at),
                lambda pk=found.pk: paging.acknowledge(pk, at=at, user=company.ada),
            )
            found.refresh_from_db()
            assert found.state == "resolved" and found.next_step_at is None
            assert not found.deliveries.filter(action="trigger", state="pending").exists()

    def test_two_triggers_at_once_are_one_page(self, company: Company, at: datetime) -> None:
        for number in range(8):
            key = f"test:{number}"
            self.run_together(
                lambda key=key: page(key, at=at),
                lambda key=key: page(key, at=at, kind="first_response"),
                lambda key=key: page(key, at=at),
            )
            found = Page.objects.get(dedup_key=key)
            assert sorted(r["kind"] for r in found.reasons) == ["dispatch", "first_response"]
            assert found.deliveries.count() == 1

    def test_two_escalators_move_a_page_once(self, company: Company, at: datetime) -> None:
        for number in range(20):
            page(f"test:{number}", at=at)
        later = after(at, minutes=10)
        self.run_together(*[lambda: paging.escalate(later)] * 3)
        assert set(Page.objects.values_list("step", "round")) == {(1, 1)}
        assert PageDelivery.objects.filter(to="ada@demo.example").count() == 20

    def test_batches_in_any_order_do_not_deadlock(self, company: Company, at: datetime) -> None:
        def alarms(kind: str, numbers: range) -> list[paging.Alarm]:
            reason = paging.Reason(kind, kind, at)
            return [
                paging.Alarm(dedup_key=f"test:{n:03}", reason=reason, urgency=Urgency.HIGH, summary=kind)
                for n in numbers
            ]

        self.run_together(
            lambda: paging.trigger_all(alarms("dispatch", range(60)), at=at),
            lambda: paging.trigger_all(alarms("first_response", range(59, -1, -1)), at=at),
            lambda: paging.trigger_all(alarms("after_hours", range(30, 60)), at=at),
        )
        assert Page.objects.count() == 60
        assert sum(len(found.reasons) for found in Page.objects.all()) == 150


def test_quiet_hours_that_make_no_sense_hold_nothing_back(company: Company) -> None:
    User.objects.filter(pk=company.grace.pk).update(timezone="Nowhere/Land")
    found = page(at=NIGHT, urgency=Urgency.LOW)
    assert [d.due_at for d in found.deliveries.all()] == [NIGHT]
    assert calls.QUIET_FROM > calls.QUIET_UNTIL
