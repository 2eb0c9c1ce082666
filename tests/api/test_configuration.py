"""What used to need a shell: mailboxes, IMAP accounts, escalation, notification rules, suspensions, iCal holidays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.customers.models import Team
from helpdesk.events import secrets
from helpdesk.events.models import Event
from helpdesk.oncall import paging
from helpdesk.oncall.models import EscalationPolicy, NotificationRule, PageDelivery, Schedule
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.imap import PASSWORD, USER, ImapServer
from tests.fixtures.mailing import Send, raw_mail, settle
from tickets.mail import imap
from tickets.models import ImapAccount, InboundEmail, Mailbox, MailThread, SuspendedAddress

pytestmark = pytest.mark.django_db


def test_mailboxes(ada: Caller, company: Company, send_mail: Send, at: datetime) -> None:
    hosting = Team.objects.get(name="Hosting")
    body = {
        "address": "Noc@Example.org",
        "aliases": ["Night@example.org", "night@example.org", "noc@example.org"],
        "name": "Network",
        "team": "Hosting",
        "priority": "high",
        "signature": "The network people",
    }
    answer = ada("post", "/mailboxes/", body)
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    path = f"/mailboxes/{shown['id']}/"
    assert (
        shown
        == ada("get", path).json()
        == {
            **body,
            "id": shown["id"],
            "address": "noc@example.org",
            "aliases": ["night@example.org"],
            "team": hosting.pk,
            "is_default": False,
        }
    )
    mail = send_mail(raw_mail(to="night@example.org"), at=at, rcpt="night@example.org")
    assert mail.conversation is not None
    assert (mail.conversation.team, mail.conversation.priority) == (hosting, "high")
    in_use = ada("delete", path)
    assert in_use.status_code == 409 and "mail thread" in in_use.json()["detail"]
    MailThread.objects.all().delete()
    assert ada("delete", path).status_code == 204


def test_a_mailbox_is_one_address_of_ours(ada: Caller, company: Company) -> None:
    fine = {"address": "noc@example.org", "name": "Network"}
    for change, field in (
        ({"address": "support@demo.example"}, "address"),
        ({"address": "SUPPORT@demo.example"}, "address"),
        ({"address": "nobody"}, "address"),
        ({"address": "a b@example.org"}, "address"),
        ({"address": "noc+x@example.org"}, "address"),
        ({"address": ""}, "address"),
        ({"aliases": ["info@demo.example"]}, "aliases"),
        ({"aliases": ["x"]}, "aliases"),
        ({"aliases": "x@example.org"}, "aliases"),
        ({"team": "Nobody"}, "team"),
        ({"priority": "very"}, "priority"),
        ({"name": ""}, "name"),
    ):
        answer = ada("post", "/mailboxes/", {**fine, **change})
        assert answer.status_code == 400 and list(answer.json()) == [field], answer.json()
    assert not Mailbox.objects.filter(address__endswith="example.org").exists()
    taken = ada(
        "patch",
        f"/mailboxes/{Mailbox.objects.get(address='info@demo.example').pk}/",
        {"aliases": ["support@demo.example"]},
    )
    assert taken.status_code == 400 and "belongs to" in str(taken.json()["aliases"])


def test_there_is_one_default_mailbox(ada: Caller, company: Company) -> None:
    default = Mailbox.objects.get(is_default=True)
    assert ada("patch", f"/mailboxes/{default.pk}/", {"is_default": False}).status_code == 400
    assert ada("delete", f"/mailboxes/{default.pk}/").status_code == 400
    other = Mailbox.objects.exclude(pk=default.pk).earliest("pk")
    assert ada("patch", f"/mailboxes/{other.pk}/", {"is_default": True}).json()["is_default"] is True
    assert Mailbox.objects.get(is_default=True) == other
    Mailbox.objects.all().delete()
    first = ada("post", "/mailboxes/", {"address": "help@example.org", "name": "Help"}).json()
    assert first["is_default"] is True, "the first one answers"


def test_an_imap_account_is_fetched_and_its_secret_never_shown(
    ada: Caller, grace: Caller, company: Company, imap_server: ImapServer, at: datetime
) -> None:
    body = {
        "mailbox": "support@demo.example",
        "host": "127.0.0.1",
        "port": imap_server.port,
        "use_tls": False,
        "username": USER,
        "secret": "wrong",
    }
    answer = ada("post", "/imap-accounts/", body)
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    path = f"/imap-accounts/{shown['id']}/"
    assert shown == {
        **{name: value for name, value in body.items() if name != "secret"},
        "id": shown["id"],
        "mailbox": Mailbox.objects.get(address="support@demo.example").pk,
        "folder": "INBOX",
        "is_active": True,
        "error": "",
        "polled_at": None,
    }
    client = imap_server.client()
    client.append("INBOX", raw_mail())
    client.logout()
    assert imap.poll_mailboxes(at=at) == 0
    told = grace("get", path).json()
    assert told["error"] and told["polled_at"] == "2026-01-12T08:00:00Z" and "secret" not in told
    assert ada("patch", path, {"secret": PASSWORD, "error": "forged"}).json()["error"] == told["error"]
    stored = ImapAccount.objects.get().secret
    assert PASSWORD not in stored and secrets.decrypt(stored) == PASSWORD
    assert imap.poll_mailboxes(at=at) == 1 and InboundEmail.objects.count() == 1
    assert ada("get", path).json()["error"] == ""
    # Another change keeps secret and cursor.
    before = ImapAccount.objects.values("secret", "last_uid", "uid_validity").get()
    assert ada("patch", path, {"is_active": False}).status_code == 200
    assert ImapAccount.objects.values("secret", "last_uid", "uid_validity").get() == before
    assert imap.poll_mailboxes(at=at) == 0
    everything = str(ada("get", "/imap-accounts/").content) + str(ada("get", path).content)
    assert PASSWORD not in everything and stored not in everything
    assert ada("delete", path).status_code == 204 and InboundEmail.objects.count() == 1


def test_another_place_is_another_imap_account(ada: Caller, company: Company) -> None:
    body = {"mailbox": "support@demo.example", "host": "IMAP.example.org", "username": "u", "secret": "s"}
    shown = ada("post", "/imap-accounts/", body).json()
    path = f"/imap-accounts/{shown['id']}/"
    assert shown["host"] == "imap.example.org" and shown["port"] == 993 and shown["use_tls"] is True
    for change in ({"host": "imap.example.com"}, {"username": "other"}, {"folder": "Archive"}):
        answer = ada("patch", path, change)
        assert answer.status_code == 400 and list(answer.json()) == list(change)
    assert ada("patch", path, {"host": "imap.EXAMPLE.org", "port": 143}).json()["port"] == 143
    assert ada("post", "/imap-accounts/", body).status_code == 400, "the same folder twice"
    assert ada("post", "/imap-accounts/", {**body, "folder": "Archive"}).status_code == 201
    senseless: tuple[dict[str, Any], ...] = (
        {"secret": ""},
        {"secret": "a\r\nLOGOUT"},
        {"secret": None},
        {"host": "a b"},
        {"host": "x/y"},
        {"port": 0},
        {"port": 70000},
        {"username": "a\nb"},
        {"folder": "a\rb"},
        {"mailbox": "nowhere@example.org"},
    )
    for wrong in senseless:
        answer = ada("post", "/imap-accounts/", {**body, "folder": "New", **wrong})
        assert answer.status_code == 400 and list(answer.json()) == list(wrong), answer.json()
    without = {name: value for name, value in body.items() if name != "secret"}
    assert ada("post", "/imap-accounts/", {**without, "folder": "New"}).status_code == 400


def test_escalation_policies(ada: Caller, company: Company) -> None:
    schedule = Schedule.objects.get()
    steps = [{"schedule": schedule.name, "delay_seconds": 120}, {"user": "ada@demo.example"}]
    answer = ada("post", "/escalation-policies/", {"name": "Night", "steps": steps})
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    assert shown == {
        "id": shown["id"],
        "name": "Night",
        "repeats": None,
        "is_default": False,
        "steps": [
            {"position": 1, "schedule": schedule.pk, "user": None, "delay_seconds": 120},
            {"position": 2, "schedule": None, "user": company.ada.pk, "delay_seconds": 300},
        ],
    }
    path = f"/escalation-policies/{shown['id']}/"
    renamed = ada("patch", path, {"name": "Nights", "repeats": 2}).json()
    assert renamed["steps"] == shown["steps"] and renamed["repeats"] == 2
    turned = ada("patch", path, {"steps": [{"user": company.linus.pk, "delay_seconds": 60}]}).json()
    assert [step["user"] for step in turned["steps"]] == [company.linus.pk]
    page = paging.trigger(
        "x",
        paging.Reason("dispatch", "Late", datetime(2026, 1, 12, tzinfo=UTC)),
        urgency="high",
        summary="Late",
        policy=EscalationPolicy.objects.get(pk=shown["id"]),
        at=datetime(2026, 1, 12, tzinfo=UTC),
    )
    assert set(PageDelivery.objects.filter(page=page).values_list("user", flat=True)) == {company.linus.pk}
    ada("patch", path, {"steps": steps})
    page.refresh_from_db()
    assert [step["user"] for step in page.policy["steps"]] == [company.linus.pk], "an open page keeps its steps"
    default = EscalationPolicy.objects.get(is_default=True)
    assert ada("delete", f"/escalation-policies/{default.pk}/").status_code == 400
    assert ada("patch", f"/escalation-policies/{default.pk}/", {"is_default": False}).status_code == 400
    assert ada("patch", path, {"is_default": True}).json()["is_default"] is True
    assert ada("delete", f"/escalation-policies/{default.pk}/").status_code == 204
    assert ada("delete", f"/schedules/{schedule.pk}/").status_code == 409


@pytest.mark.parametrize(
    "steps",
    [
        [],
        None,
        "ada",
        [{}],
        [{"schedule": None, "user": None}],
        [{"schedule": "{schedule}", "user": "ada@demo.example"}],
        [{"user": "nobody@demo.example"}],
        [{"user": "ada@demo.example", "delay_seconds": 59}],
        [{"user": "ada@demo.example", "delay_seconds": 86_401}],
        [{"user": "ada@demo.example"}] * 21,
        [None],
    ],
)
def test_senseless_steps_are_refused(ada: Caller, company: Company, steps: Any) -> None:
    before = ada("get", "/escalation-policies/").json()
    if steps and isinstance(steps[0], dict) and steps[0].get("schedule"):
        steps = [{**steps[0], "schedule": Schedule.objects.get().pk}]
    policy = EscalationPolicy.objects.get()
    for method, path in (("post", "/escalation-policies/"), ("patch", f"/escalation-policies/{policy.pk}/")):
        answer = ada(method, path, {"name": "New", "steps": steps})
        assert answer.status_code == 400 and list(answer.json()) == ["steps"], answer.json()
    assert ada("get", "/escalation-policies/").json() == before


def test_one_says_how_one_wants_to_be_called(
    ada: Caller, grace: Caller, company: Company, settings: Settings, at: datetime
) -> None:
    settings.PAGERDUTY_ROUTING_KEY = "default=a,night=b"
    mine = grace("get", "/notification-rules/").json()["results"]
    assert mine and {rule["user"] for rule in mine} == {company.grace.pk}
    for rule in mine:
        assert grace("delete", f"/notification-rules/{rule['id']}/").status_code == 204
    answer = grace("post", "/notification-rules/", {"urgency": "high", "channel": "pagerduty", "to": "night"})
    assert answer.status_code == 201, answer.content
    rule = answer.json()
    path = f"/notification-rules/{rule['id']}/"
    assert rule == {
        "id": rule["id"],
        "user": company.grace.pk,
        "urgency": "high",
        "channel": "pagerduty",
        "to": "night",
        "delay_seconds": 0,
        "quiet_from": None,
        "quiet_until": None,
    }
    moved = grace("patch", path, {"channel": "email", "delay_seconds": 300}).json()
    assert moved["to"] == "grace@demo.example" and moved["delay_seconds"] == 300
    low = {"urgency": "low", "channel": "email", "quiet_from": "22:00", "quiet_until": "06:30"}
    quiet = grace("post", "/notification-rules/", low).json()
    assert (quiet["quiet_from"], quiet["quiet_until"], quiet["to"]) == ("22:00", "06:30", "grace@demo.example")
    assert grace("post", "/notification-rules/", low).status_code == 400, "there is such a rule"
    page = paging.trigger("x", paging.Reason("dispatch", "Late", at), urgency="high", summary="Late", at=at)
    call = PageDelivery.objects.get(page=page, user=company.grace)
    assert (call.channel, call.to, call.due_at) == ("email", "grace@demo.example", at + timedelta(seconds=300))


def test_others_rules_are_the_admins_matter(ada: Caller, grace: Caller, company: Company) -> None:
    body = {"user": "linus@demo.example", "urgency": "high", "channel": "email"}
    assert grace("post", "/notification-rules/", body).status_code == 403
    answer = ada("post", "/notification-rules/", body)
    assert answer.status_code == 201 and answer.json()["to"] == "linus@demo.example"
    path = f"/notification-rules/{answer.json()['id']}/"
    for method in ("get", "patch", "delete"):
        assert grace(method, path, {}).status_code == 404
    own = NotificationRule.objects.filter(user=company.grace).earliest("pk")
    given_away = grace("patch", f"/notification-rules/{own.pk}/", {"user": company.linus.pk})
    assert given_away.status_code == 403 and NotificationRule.objects.get(pk=own.pk).user == company.grace
    assert grace("get", "/notification-rules/", user=company.linus.pk).json()["results"] == []
    assert [r["id"] for r in ada("get", "/notification-rules/", user=company.linus.pk).json()["results"]] == [
        answer.json()["id"]
    ]
    assert ada("delete", path).status_code == 204


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"channel": "slack"}, "channel"),
        ({"to": "nobody"}, "to"),
        ({"urgency": "medium"}, "urgency"),
        ({"delay_seconds": -1}, "delay_seconds"),
        ({"delay_seconds": 10**6}, "delay_seconds"),
        ({"quiet_from": "20:00"}, "quiet_until"),
        ({"quiet_from": "20:00", "quiet_until": "20:00"}, "quiet_until"),
        ({"quiet_from": "20:00", "quiet_until": "08:00", "urgency": "high"}, "quiet_from"),
        ({"quiet_from": "25:00", "quiet_until": "08:00"}, "quiet_from"),
        ({"user": "nobody@demo.example"}, "user"),
    ],
)
def test_a_rule_that_never_rings_is_refused(ada: Caller, company: Company, change: dict[str, Any], field: str) -> None:
    before = NotificationRule.objects.count()
    answer = ada("post", "/notification-rules/", {"urgency": "low", "channel": "email", **change})
    assert answer.status_code == 400 and list(answer.json()) == [field], answer.json()
    assert NotificationRule.objects.count() == before


def test_suspensions_are_listed_and_lifted(
    ada: Caller, grace: Caller, company: Company, send_mail: Send, settings: Settings
) -> None:
    now = timezone.now()
    conversation = conversations.receive_message(
        conversations.Inbound(channel="form", customer=company.carol, at=now - timedelta(hours=2), text="Hello?")
    ).conversation
    common = {"hard_bounces": 2, "bounced_at": now, "reason": "550 no such user"}
    bad = SuspendedAddress.objects.create(address="carol@acme.example", until=now + timedelta(days=7), **common)
    SuspendedAddress.objects.create(address="over@acme.example", until=now - timedelta(days=1), **common)
    SuspendedAddress.objects.create(address="once@acme.example", **common)
    listed = grace("get", "/suspended-addresses/").json()["results"]
    assert [row["address"] for row in listed] == ["carol@acme.example"]
    assert set(listed[0]) == {"id", "address", "hard_bounces", "until", "reason", "bounced_at"}
    assert grace("get", "/suspended-addresses/", address="CAROL@acme.example").json()["results"] == listed
    failed = conversations.reply(conversation.pk, company.grace, "Anybody there?", at=now)
    settle(now)
    failed.refresh_from_db()
    assert failed.delivery == "failed" and "suspended" in failed.error
    assert ada("delete", f"/suspended-addresses/{bad.pk}/").status_code == 204
    assert ada("delete", f"/suspended-addresses/{bad.pk}/").status_code == 404
    lifted = Event.objects.get(kind="suspension.lifted")
    assert lifted.actor == company.ada and lifted.data["address"] == "carol@acme.example"
    assert lifted.data["reason"] == "550 no such user" and lifted.conversation is None
    conversations.retry(failed.pk, company.grace, at=now)
    settle(now)
    failed.refresh_from_db()
    assert failed.delivery == "sent"
