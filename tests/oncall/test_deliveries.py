"""Page messages leaving: side by side, once, late ones marked, storms gathered, providers that fail or throttle."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from pytest_django import Settings

from helpdesk.events.outcomes import NeverRetry
from helpdesk.oncall import deliveries, paging, records, twilio_account
from helpdesk.oncall.models import NotificationRule, Page, PageDelivery, Urgency
from tests.fixtures.company import Company
from tests.fixtures.notices import nobody_listens
from tests.fixtures.pages import after, page
from tests.fixtures.providers import ROUTING_KEY, PagerDutyServer, SlackServer
from tickets.mail.file_backend import EmailBackend


@pytest.fixture
def mails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """The page mails that left, in order."""
    left: list[EmailMessage] = []

    def keep(_self: EmailBackend, messages: list[EmailMessage]) -> int:
        left.extend(messages)
        return len(messages)

    monkeypatch.setattr(EmailBackend, "send_messages", keep)
    return left


@pytest.fixture
def pagerduty(settings: Settings, pagerduty_server: PagerDutyServer) -> PagerDutyServer:
    settings.PAGERDUTY_ROUTING_KEY = ROUTING_KEY
    settings.PAGERDUTY_BASE_URL = pagerduty_server.url
    return pagerduty_server


@pytest.fixture
def slack(settings: Settings, slack_server: SlackServer) -> SlackServer:
    settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL = slack_server.token, "#oncall"
    settings.SLACK_BASE_URL = slack_server.base_url
    return slack_server


def states(found: Page, channel: str) -> list[tuple[str, str]]:
    return list(found.deliveries.filter(channel=channel).order_by("id").values_list("action", "state"))


def killed_over(channel: str) -> Callable[[Sequence[records.Outcome], datetime], None]:
    """The process dies where it writes down what became of that channel's messages."""
    record = records.record

    def killed(outcomes: Sequence[records.Outcome], now: datetime) -> None:
        if outcomes[0].delivery.channel == channel:
            raise KeyboardInterrupt
        record(outcomes, now)

    return killed


def one(channel: str) -> PageDelivery:
    return PageDelivery.objects.get(channel=channel)


def test_a_page_goes_its_whole_way(
    company: Company, at: datetime, pagerduty: PagerDutyServer, slack: SlackServer, mails: list[EmailMessage]
) -> None:
    found = page(at=at)
    assert deliveries.deliver(at) == 3
    assert deliveries.deliver(at) == 0
    (alert,), (message,), (mail,) = pagerduty.alerts, slack.messages, mails
    assert alert.summary == "Summary of test:1" and mail.to == ["grace@demo.example"]
    assert message.button("acknowledge_page") is not None

    paging.acknowledge(found.pk, at=after(at, minutes=1), user=company.grace)
    deliveries.deliver(after(at, minutes=1))
    assert alert.status == "acknowledged" and message.button("acknowledge_page") is None
    paging.resolve(found.pk, at=after(at, minutes=2))
    deliveries.deliver(after(at, minutes=2))
    assert alert.status == "resolved" and message.text.startswith("Resolved")
    assert len(mails) == 1, "mail cannot be taken back, so nobody is written to again"
    assert states(found, "slack") == [("trigger", "sent"), ("acknowledge", "sent"), ("resolve", "sent")]


def test_a_worker_that_has_just_started_pages(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    """It knows nothing yet of an account that may be in the database, where no event loop may ask."""
    page(at=at)
    twilio_account.forget()
    deliveries.deliver(at)
    assert [alert.status for alert in pagerduty.alerts] == ["triggered"]


def test_nothing_calls_once_somebody_is_on_it(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    found = page(at=at)
    paging.acknowledge(found.pk, at=at, user=company.grace)
    assert deliveries.deliver(after(at, minutes=1)) == 0
    assert pagerduty.received == []


def test_a_late_page_says_so(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    page(at=after(at, minutes=42), since=at)
    deliveries.deliver(after(at, minutes=42))
    assert pagerduty.alerts[0].summary == "[late by 42 min] Summary of test:1"


def test_what_waited_out_the_night_is_not_late(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    night = after(at, hours=14)
    page(at=night, urgency=Urgency.LOW)
    assert deliveries.deliver(after(night, hours=8)) == 0
    deliveries.deliver(after(night, hours=9))
    assert [alert.summary for alert in pagerduty.alerts] == ["Summary of test:1"]


def test_a_burst_for_one_person_is_one_digest(company: Company, at: datetime, mails: list[EmailMessage]) -> None:
    for number in range(80):
        page(f"test:{number:02}", at=at, urgency=Urgency.HIGH)
    deliveries.deliver(at)
    (digest,) = mails
    assert "80 pages are waiting, 80 of them urgent" in str(digest.subject)
    assert all(f"test:{number:02}" in str(digest.body) for number in range(50)) and "and 30 more" in str(digest.body)
    assert set(PageDelivery.objects.values_list("state", flat=True)) == {"sent"}


def test_what_waited_for_the_morning_is_one_list_and_what_is_urgent_its_own_mail(
    company: Company, at: datetime, mails: list[EmailMessage]
) -> None:
    for number in range(2):
        page(f"test:{number}", at=after(at, hours=-10), urgency=Urgency.LOW)
    morning = after(at, hours=-1)
    page("test:2", at=morning)
    deliveries.deliver(morning)
    assert sorted(str(mail.subject) for mail in mails) == [
        "2 pages are waiting, 0 of them urgent",
        "[URGENT] Summary of test:2",
    ]


def test_three_leave_at_once_and_the_rest_of_the_minute_together(
    company: Company, at: datetime, mails: list[EmailMessage]
) -> None:
    for number in range(3):
        page(f"test:{number}", at=at)
        deliveries.deliver(at)
    assert len(mails) == 3, "the first pages are never held up"
    for number in range(3, 6):
        page(f"test:{number}", at=after(at, seconds=5))
    deliveries.deliver(after(at, seconds=5))
    assert len(mails) == 3
    held = PageDelivery.objects.filter(state="pending")
    assert {d.attempts for d in held} == {0} and all(d.due_at <= after(at, seconds=61) for d in held)
    deliveries.deliver(after(at, seconds=62))
    assert len(mails) == 6 and not held.all().exists()


def test_too_many_requests_hold_the_channel_back_not_the_page(
    company: Company, at: datetime, pagerduty: PagerDutyServer
) -> None:
    pages = [page(f"test:{number:02}", at=at) for number in range(30)]
    pagerduty.fail_next(429, {"status": "throttle exceeded"}, {"Retry-After": "20"})
    deliveries.deliver(at)
    waiting = PageDelivery.objects.filter(channel="pagerduty", state="pending")
    assert waiting.exists() and all(d.due_at >= after(at, seconds=20) for d in waiting)
    assert len(pagerduty.received) < len(pages), "those that come after are not tried at all"
    deliveries.deliver(after(at, seconds=30))
    assert len(pagerduty.alerts) == 30 and not waiting.all().exists()


def test_a_refused_page_goes_by_mail(
    company: Company, at: datetime, pagerduty: PagerDutyServer, mails: list[EmailMessage]
) -> None:
    NotificationRule.objects.filter(user=company.grace).update(channel="pagerduty", to="default")
    page(at=at)
    pagerduty.fail_next(400, {"status": "invalid event", "errors": ["no"]})
    deliveries.deliver(at)
    deliveries.deliver(after(at, seconds=1))
    assert one("pagerduty").state == "failed" and "invalid event" in one("pagerduty").error
    assert [mail.to for mail in mails] == [["grace@demo.example"]]


def test_a_refused_shared_channel_goes_by_mail_to_those_the_page_called(
    company: Company, at: datetime, pagerduty: PagerDutyServer, mails: list[EmailMessage], slack: SlackServer
) -> None:
    NotificationRule.objects.filter(user=company.grace).update(channel="slack", to="#team")
    page(at=at)
    pagerduty.fail_next(400, {"status": "invalid event"})
    deliveries.deliver(at)
    deliveries.deliver(after(at, seconds=1))
    assert [mail.to for mail in mails] == [["grace@demo.example"]]


def test_an_unknown_channel_goes_by_mail(company: Company, at: datetime, mails: list[EmailMessage]) -> None:
    NotificationRule.objects.filter(user=company.grace).update(channel="pigeon", to="loft 3")
    page(at=at)
    deliveries.deliver(at)
    deliveries.deliver(after(at, seconds=1))
    assert one("pigeon").error == "this channel is not configured" and len(mails) == 1


def test_an_unreachable_provider_is_tried_again_and_not_hammered(
    company: Company, at: datetime, settings: Settings, pagerduty: PagerDutyServer, mails: list[EmailMessage]
) -> None:
    settings.PAGERDUTY_BASE_URL = nobody_listens()
    for number in range(40):
        page(f"test:{number:02}", at=at)
    deliveries.deliver(at)
    assert len(mails) == 1, "the other channels do not wait for it"
    waiting = PageDelivery.objects.filter(channel="pagerduty", state="pending")
    assert waiting.count() == 40
    assert waiting.filter(attempts=0).count() > 20, "after some failures the rest was not tried, nor counted"
    settings.PAGERDUTY_BASE_URL = pagerduty.url
    deliveries.deliver(after(at, seconds=30))
    assert len(pagerduty.alerts) == 40


def test_a_lost_answer_is_sent_again(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    page(at=at)
    pagerduty.cut_next(process=True)
    deliveries.deliver(at)
    assert one("pagerduty").state == "pending" and one("pagerduty").error
    deliveries.deliver(after(at, seconds=6))
    (alert,) = pagerduty.alerts
    assert one("pagerduty").state == "sent" and len(alert.log) == 2, "PagerDuty folds the second into the first"


def test_killed_between_call_and_record_it_is_sent_again_after_the_lease(
    company: Company, at: datetime, pagerduty: PagerDutyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(at=at)
    with monkeypatch.context() as patch:
        patch.setattr(records, "record", killed_over("pagerduty"))
        with pytest.raises(KeyboardInterrupt):
            deliveries.deliver(at)
    assert len(pagerduty.alerts) == 1 and one("pagerduty").state == "pending"
    assert deliveries.deliver(after(at, seconds=30)) == 0, "somebody may still be at it"
    deliveries.deliver(at + deliveries.LEASE + timedelta(seconds=5))
    assert one("pagerduty").state == "sent" and len(pagerduty.alerts[0].log) == 2


def test_a_failure_told_after_the_lease_does_not_undo_a_success(company: Company, at: datetime) -> None:
    page(at=at)
    late = deliveries._claim("email", at)
    again = deliveries._claim("email", after(at, minutes=2))
    records.record([records.Outcome(again[0], provider_ref="<id>")], after(at, minutes=2))
    records.record([records.Outcome(late[0], error=NeverRetry("no"))], after(at, minutes=2))
    assert (one("email").state, one("email").provider_ref) == ("sent", "<id>")


def test_the_end_of_a_page_waits_for_its_beginning(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    found = page(at=at)
    pagerduty.fail_next(503)
    deliveries.deliver(at)
    paging.resolve(found.pk, at=after(at, seconds=1))
    assert deliveries.deliver(after(at, seconds=1)) == 0
    deliveries.deliver(after(at, seconds=10))  # finds the beginning outdated
    deliveries.deliver(after(at, seconds=11))
    assert states(found, "pagerduty") == [("trigger", "cancelled"), ("resolve", "sent")]
    assert pagerduty.alerts == []


def test_a_new_page_of_a_key_waits_until_the_old_one_is_resolved(
    company: Company, at: datetime, pagerduty: PagerDutyServer
) -> None:
    old = page(at=at)
    deliveries.deliver(at)
    paging.resolve(old.pk, at=after(at, seconds=1))
    new = page(at=after(at, seconds=2))
    pagerduty.fail_next(503)
    deliveries.deliver(after(at, seconds=3))
    deliveries.deliver(after(at, seconds=4))
    assert states(new, "pagerduty") == [("trigger", "pending")], "it must not fold into the incident about to be closed"
    deliveries.deliver(after(at, seconds=20))
    deliveries.deliver(after(at, seconds=21))
    assert [alert.status for alert in pagerduty.alerts] == ["resolved", "triggered"]


def test_a_claim_looks_at_each_pages_own_messages_not_at_the_burst(company: Company, at: datetime) -> None:
    """Statistics are worthless in a burst; the index of all that waits must serve nothing but finding the next ones."""
    parameters: dict[str, Any] = {"at": at, "lease": after(at, minutes=1), "channel": "pagerduty", "limit": 100}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) {deliveries._CLAIM}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    _, _, look_ups = plan.partition("SubPlan")
    assert look_ups and "page_delivery_next" not in look_ups and "page_delivery_due" not in look_ups, plan


def test_escalation_replaces_a_call_that_still_waits(
    company: Company, at: datetime, settings: Settings, pagerduty: PagerDutyServer
) -> None:
    settings.PAGERDUTY_BASE_URL = nobody_listens()
    found = page(at=at)
    deliveries.deliver(at)
    settings.PAGERDUTY_BASE_URL = pagerduty.url
    paging.escalate(after(at, minutes=10))
    deliveries.deliver(after(at, minutes=10))
    assert states(found, "pagerduty") == [("trigger", "cancelled"), ("trigger", "sent")]
    assert pagerduty.alerts[0].summary.startswith("[late by 10 min]"), "what was promised first stays promised"


def test_no_secret_is_written_down(company: Company, at: datetime, slack: SlackServer) -> None:
    page(at=at)
    slack.fail_next(500, {"token": slack.token})
    deliveries.deliver(at)
    assert slack.token not in json.dumps(list(PageDelivery.objects.values_list("error", "provider_ref")))


def test_a_day_of_sent_mail_is_where_the_settings_say(company: Company, at: datetime, settings: Settings) -> None:
    page(at=at)
    deliveries.deliver(at)
    assert len(list(Path(settings.SENT_MAIL_DIR).glob("*.eml"))) == 1


class TestSlackAfterALostAnswer:
    """Slack has no idempotency key, so the channel's history is asked before a message is sent again."""

    @pytest.fixture(autouse=True)
    def channel_by_id(self, settings: Settings, slack: SlackServer) -> None:
        settings.SLACK_CHANNEL = "C0ONCALL1"

    def lose_the_answer(self, at: datetime, slack: SlackServer) -> Page:
        slack.posted_at(after(at, seconds=1))
        found = page(at=at)
        slack.cut_next(process=True)
        deliveries.deliver(after(at, seconds=1))
        assert (len(slack.messages), one("slack").state) == (1, "pending")
        return found

    def test_what_had_arrived_is_found(self, company: Company, at: datetime, slack: SlackServer) -> None:
        found = self.lose_the_answer(at, slack)
        deliveries.deliver(after(at, seconds=10))
        (message,) = slack.messages
        sent = one("slack")
        assert (sent.state, sent.provider_ref, sent.error) == ("sent", f"C0ONCALL1:{message.ts}", "")
        paging.resolve(found.pk, at=after(at, minutes=1))
        deliveries.deliver(after(at, minutes=1))
        assert message.text.startswith("Resolved"), "and can be changed later"
        assert message.metadata, "which leaves the mark on it"

    def test_killed_before_the_record_it_is_found_as_well(
        self, company: Company, at: datetime, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slack.posted_at(at)
        page(at=at)
        with monkeypatch.context() as patch:
            patch.setattr(records, "record", killed_over("slack"))
            with pytest.raises(KeyboardInterrupt):
                deliveries.deliver(at)
        deliveries.deliver(at + deliveries.LEASE + timedelta(seconds=5))
        assert len(slack.messages) == 1 and one("slack").state == "sent"

    def test_what_had_not_arrived_is_sent(self, company: Company, at: datetime, slack: SlackServer) -> None:
        page("test:other", at=at)
        page(at=at)
        slack.cut_next(times=2)
        deliveries.deliver(at)
        assert slack.messages == []
        deliveries.deliver(after(at, seconds=10))
        assert sorted(message.text for message in slack.messages) == ["Summary of test:1", "Summary of test:other"]

    def test_a_first_attempt_asks_nothing(self, company: Company, at: datetime, slack: SlackServer) -> None:
        page(at=at)
        deliveries.deliver(at)
        assert [request.path for request in slack.received] == ["/api/chat.postMessage"]

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            ({"error": "missing_scope", "needed": "channels:history"}, "missing_scope, needed: channels:history"),
            ({"error": "not_in_channel"}, "not_in_channel"),
            ({"error": ["odd"], "needed": 7}, "status 200"),
        ],
    )
    def test_without_leave_to_look_it_is_sent_again_and_says_so(
        self, company: Company, at: datetime, slack: SlackServer, error: dict[str, object], told: str
    ) -> None:
        self.lose_the_answer(at, slack)
        slack.fail_next(200, {"ok": False, **error})
        deliveries.deliver(after(at, seconds=10))
        assert len(slack.messages) == 2, "twice is better than never"
        sent = one("slack")
        assert (sent.state, sent.error) == ("sent", f"sent again without looking whether it had arrived: {told}")

    def test_a_silent_slack_is_asked_later(self, company: Company, at: datetime, slack: SlackServer) -> None:
        self.lose_the_answer(at, slack)
        slack.fail_next(503)
        deliveries.deliver(after(at, seconds=10))
        assert one("slack").state == "pending" and len(slack.messages) == 1
        deliveries.deliver(after(at, seconds=60))
        assert one("slack").state == "sent" and len(slack.messages) == 1

    def test_it_is_found_behind_a_busy_channel(self, company: Company, at: datetime, slack: SlackServer) -> None:
        self.lose_the_answer(at, slack)
        slack.chatter(150)
        deliveries.deliver(after(at, seconds=10))
        assert one("slack").provider_ref == f"C0ONCALL1:{slack.messages[0].ts}"

    def test_the_search_ends(self, company: Company, at: datetime, slack: SlackServer) -> None:
        self.lose_the_answer(at, slack)
        slack.chatter(1000)
        deliveries.deliver(after(at, seconds=10))
        assert one("slack").error.startswith("sent again: not found among the newest 300 messages")
