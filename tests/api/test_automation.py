"""Rules, macros, canned replies, views, custom fields, blocked senders, webhooks and the audit log over the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, CustomField, Message
from helpdesk.customers import audit
from helpdesk.customers.models import AuditEntry, Plan, Team, User
from helpdesk.events import webhooks
from helpdesk.events.models import WebhookDelivery
from helpdesk.oncall.models import Schedule
from helpdesk.sla.models import Calendar
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tickets.desk import kept
from tickets.desk.models import BlockedSender, CannedReply, Macro, Rule, SavedView, Shared
from tickets.models import SuspendedAddress

pytestmark = pytest.mark.django_db
NOTE = [{"do": "note", "value": "Seen."}]
RULE = {
    "name": "Slow",
    "event": "conversation.opened",
    "conditions": [{"field": "text", "operator": "contains", "value": "slow"}],
    "actions": NOTE,
}


def test_a_rule_is_made_tried_changed_and_watched(
    ada: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    made = ada("post", "/rules/", RULE)
    assert made.status_code == 201, made.content
    rule = made.json()
    assert rule["conditions"] == [{"field": "text", "operator": "contains", "value": ["slow"]}]
    tried = ada("get", f"/rules/{rule['id']}/dry-run/", limit=1).json()
    assert [match["conversation"] for match in tried["results"]] == [conversation.pk]
    assert tried["results"][0]["actions"] == NOTE and tried["looked_at"] == 1
    unsaved = ada("post", "/rules/dry-run/", {**RULE, "conditions": []})
    assert len(unsaved.json()["results"]) == 1 and Rule.objects.count() == 1
    settle(at)
    runs = ada("get", f"/rules/{rule['id']}/runs/").json()
    assert [(run["conversation"], run["state"]) for run in runs["results"]] == [(conversation.pk, "done")]
    patched = ada("patch", f"/rules/{rule['id']}/", {"is_active": False})
    assert patched.status_code == 200 and patched.json()["actions"] == NOTE
    assert ada("delete", f"/rules/{rule['id']}/").status_code == 204
    log = ada("get", "/audit/", kind="rule").json()["results"]
    assert [entry["action"] for entry in log] == ["deleted", "changed", "created"]
    assert log[1]["before"]["is_active"] is True and log[1]["after"]["is_active"] is False
    assert log[0]["thing_id"] == rule["id"] and log[0]["actor_name"] == company.ada.name


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": "x"},
        {"conditions": "x"},
        {"conditions": [1]},
        {"actions": {}},
        {"actions": [{"do": "reply", "value": "{{ x }}"}]},
        {"event": "conversation.idle"},
        {"idle_hours": "soon"},
        {"position": -1},
    ],
)
def test_a_wrong_rule_says_what_is_wrong(ada: Caller, wrong: dict[str, Any]) -> None:
    for path in ("/rules/", "/rules/dry-run/"):
        answer = ada("post", path, {**RULE, **wrong})
        assert answer.status_code == 400 and isinstance(next(iter(answer.json().values())), list), answer.content


def test_a_place_nobody_gave_out_is_refused(ada: Caller) -> None:
    rule = ada("post", "/rules/", RULE).json()["id"]
    assert ada("get", f"/rules/{rule}/dry-run/", before="x").status_code == 400
    assert ada("get", f"/rules/{rule}/dry-run/", limit=100_000).status_code == 400


def test_a_macro_is_applied_as_the_agent(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    actions = [
        {"do": "assign", "value": "me"},
        {"do": "reply", "value": "Hello {{ customer.first_name }}, {{ agent.first_name }} here."},
        {"do": "set_status", "value": "on_hold"},
        {"do": "add_tags", "value": ["shop"]},
    ]
    macro = grace("post", "/macros/", {"name": "Take it", "actions": actions})
    assert macro.status_code == 201 and macro.json()["owner"] == company.grace.pk, macro.content
    answer = grace("post", f"/conversations/{conversation.pk}/macros/", {"macro": macro.json()["id"]})
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["assignee"], shown["status"]) == (company.grace.pk, "on_hold") and "shop" in shown["tags"]
    reply = Message.objects.get(conversation=conversation, kind="outbound")
    assert reply.agent == company.grace and reply.text == "Hello Carol, Grace here."
    assert Macro.objects.get().uses == 1


def test_a_macro_that_cannot_be_done_does_nothing(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    actions = [{"do": "note", "value": "Half"}, {"do": "close"}, {"do": "snooze", "value": 2}]
    macro = grace("post", "/macros/", {"name": "Sleep", "actions": actions}).json()["id"]
    answer = grace("post", f"/conversations/{conversation.pk}/macros/", {"macro": macro})
    assert answer.status_code == 409 and "snoozed" in answer.json()["detail"]
    assert not Message.objects.filter(kind="note").exists()
    assert grace("post", "/conversations/999999/macros/", {"macro": macro}).status_code == 404
    assert grace("post", f"/conversations/{conversation.pk}/macros/", {"macro": 999_999}).status_code == 400


def test_a_macro_resolves_nothing_that_lacks_a_required_field(grace: Caller, conversation: Conversation) -> None:
    CustomField.objects.create(key="cluster", name="Cluster", is_required=True)
    close = grace("post", "/macros/", {"name": "Close", "actions": [{"do": "close"}]}).json()["id"]
    answer = grace("post", f"/conversations/{conversation.pk}/macros/", {"macro": close})
    assert answer.status_code == 409 and "Cluster" in answer.json()["detail"]
    actions = [{"do": "set_custom", "value": {"cluster": "c01"}}, {"do": "close"}]
    both = grace("post", "/macros/", {"name": "Fill and close", "actions": actions}).json()["id"]
    assert grace("post", f"/conversations/{conversation.pk}/macros/", {"macro": both}).json()["status"] == "closed"


def test_a_macro_reaches_no_hidden_conversation(
    grace: Caller, ada: Caller, conversation: Conversation, company: Company
) -> None:
    Conversation.objects.update(team=Team.objects.create(name="Board", is_private=True))
    macro = ada("post", "/macros/", {"name": "Tag", "owner": None, "team": None, "actions": NOTE}).json()["id"]
    assert grace("post", f"/conversations/{conversation.pk}/macros/", {"macro": macro}).status_code == 404
    assert ada("post", f"/conversations/{conversation.pk}/macros/", {"macro": macro}).status_code == 200


KEPT: dict[str, tuple[type[Shared], dict[str, Any]]] = {
    "macros": (Macro, {"actions": NOTE}),
    "canned-replies": (CannedReply, {"shortcut": "hello", "text": "Hello"}),
    "views": (SavedView, {"filters": {"status": ["open"]}}),
}
# Who may see and who may change what grace, her team, or everybody keeps.
SEES = {"own": {"grace"}, "team": {"grace", "ada", "viewer"}, "all": {"grace", "linus", "ada", "viewer"}}
CHANGES = {"own": {"grace"}, "team": {"grace", "ada"}, "all": {"ada"}}


@pytest.mark.parametrize("path", KEPT)
@pytest.mark.parametrize("whose", SEES)
def test_who_sees_and_changes_what_is_kept(company: Company, at: datetime, path: str, whose: str) -> None:
    model, fields = KEPT[path]
    team = Team.objects.create(name="Grace's")
    viewer = User.objects.create_user("vera@demo.example", "demo", name="Vera", role="viewer")
    team.members.set([company.grace, viewer])
    places: dict[str, dict[str, Any]] = {"own": {"owner": company.grace}, "team": {"team": team}, "all": {}}
    row = model._default_manager.create(name="Kept", updated_at=at, **fields, **places[whose])
    everybody = {"grace": company.grace, "linus": company.linus, "ada": company.ada, "viewer": viewer}
    for name, user in everybody.items():
        call, address = Caller(user), f"/{path}/{row.pk}/"
        sees, changes = name in SEES[whose], name in CHANGES[whose]
        assert kept.may_change(user, row) == changes, name
        assert call("get", address).status_code == (200 if sees else 404), name
        assert (row.pk in [one["id"] for one in call("get", f"/{path}/").json()["results"]]) == sees, name
        # A viewer is told that they change nothing before anybody looks for the row; views of their own they do keep.
        is_told = name == "viewer" and path != "views"
        expected = 200 if changes else 403 if sees or is_told else 404
        assert call("patch", address, {"name": f"By {name}"}).status_code == expected, name
        place = {"owner": None, "team": team.pk if whose == "team" else None}
        if whose != "own":
            made = call("post", f"/{path}/", {"name": "New", **fields, **place, **_other(fields, name)})
            assert made.status_code == (201 if changes else 403 if is_told else 400), (name, made.content)
        if not changes:
            assert call("delete", address).status_code == expected, name
        own = call("post", f"/{path}/", {"name": "Mine", **fields, **_other(fields, f"own-{name}")})
        assert own.status_code == (403 if is_told else 201), (name, own.content)
    for name in CHANGES[whose]:
        other = model._default_manager.create(
            name="Gone", updated_at=at, **fields | _other(fields, f"gone-{name}"), **places[whose]
        )
        assert Caller(everybody[name])("delete", f"/{path}/{other.pk}/").status_code == 204


def _other(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {"shortcut": f"hello-{name}"} if "shortcut" in fields else {}


def test_nobody_keeps_things_for_somebody_else(grace: Caller, ada: Caller, company: Company) -> None:
    body = {"name": "x", "actions": NOTE}
    assert ada("post", "/macros/", {**body, "owner": company.grace.pk}).status_code == 400
    assert grace("post", "/macros/", {**body, "owner": company.ada.pk}).status_code == 400
    mine = grace("post", "/macros/", body).json()["id"]
    assert grace("patch", f"/macros/{mine}/", {"owner": None}).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("canned-replies", {"name": "x", "shortcut": "a b", "text": "x"}),
        ("canned-replies", {"name": "x", "shortcut": "x", "text": "{{ customer.age }}"}),
        ("canned-replies", {"name": "x", "shortcut": "x", "text": "x", "team": 999}),
        ("views", {"name": "x", "filters": {"colour": "red"}}),
        ("views", {"name": "x", "filters": []}),
        ("macros", {"name": "x", "actions": [{"do": "notify", "value": ["assignee"]}]}),
        ("macros", {"name": "x"}),
    ],
)
def test_what_means_nothing_is_not_kept(grace: Caller, path: str, body: dict[str, Any]) -> None:
    assert grace("post", f"/{path}/", body).status_code == 400


def test_a_shortcut_is_one_reply(grace: Caller, ada: Caller) -> None:
    body = {"name": "x", "shortcut": "hello", "text": "Hello {{ customer.first_name|there }}"}
    assert grace("post", "/canned-replies/", body).status_code == 201
    assert grace("post", "/canned-replies/", {**body, "shortcut": "HELLO"}).status_code == 400
    assert ada("post", "/canned-replies/", body).status_code == 201


def test_custom_fields_have_keys_that_stay(ada: Caller) -> None:
    made = ada("post", "/custom-fields/", {"key": "cluster", "name": "Cluster", "kind": "choice", "choices": ["c01"]})
    assert made.status_code == 201, made.content
    address = f"/custom-fields/{made.json()['id']}/"
    assert ada("patch", address, {"key": "other"}).status_code == 400
    assert ada("patch", address, {"choices": []}).status_code == 400
    assert ada("patch", address, {"name": "In cluster"}).status_code == 200
    assert ada("post", "/custom-fields/", {"key": "cluster", "name": "x"}).status_code == 400
    assert ada("post", "/custom-fields/", {"key": "X y", "name": "x"}).status_code == 400


def test_blocking_and_unblocking_is_on_record(grace: Caller, company: Company) -> None:
    made = grace("post", "/blocked-senders/", {"handle": "Spam@Junk.example", "why": "Spam"})
    assert made.status_code == 201 and made.json()["handle"] == "spam@junk.example"
    assert grace("post", "/blocked-senders/", {"handle": "spam@junk.example"}).status_code == 201
    assert BlockedSender.objects.count() == 1
    assert grace("post", "/blocked-senders/", {"handle": "@junk.example"}).status_code == 201
    ours = ("grace@demo.example", "@demo.example", "support@demo.example", "nobody", "@", "a@b@c", "")
    assert {grace("post", "/blocked-senders/", {"handle": handle}).status_code for handle in ours} == {400}
    assert grace("delete", f"/blocked-senders/{made.json()['id']}/").status_code == 204
    actions = AuditEntry.objects.filter(kind="blockedsender").order_by("pk").values_list("action", "actor")
    assert list(actions) == [(name, company.grace.pk) for name in ("blocked", "blocked", "unblocked")]


@pytest.fixture
def hook(ada: Caller, settings: Settings) -> dict[str, Any]:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"
    body = {"name": "Room", "url": "http://127.0.0.1:9/in", "kinds": ["conversation.opened"]}
    made = ada("post", "/webhooks/", body)
    assert made.status_code == 201, made.content
    found: dict[str, Any] = made.json()
    return found


def test_a_secret_is_shown_once(ada: Caller, hook: dict[str, Any]) -> None:
    assert hook["secret"].startswith("whsec_") and hook["includes_private"] is False
    address = f"/webhooks/{hook['id']}/"
    assert ada("get", address).json()["secret"] is None
    assert ada("patch", address, {"name": "Other"}).json()["secret"] is None
    rotated = ada("post", f"{address}rotation/").json()["secret"]
    assert rotated.startswith("whsec_") and rotated != hook["secret"]
    log = str(list(AuditEntry.objects.filter(kind="webhook").values("action", "before", "after")))
    assert "rotated" in log and rotated not in log and hook["secret"] not in log


def test_a_webhook_is_tested_and_a_delivery_replayed(ada: Caller, hook: dict[str, Any]) -> None:
    address = f"/webhooks/{hook['id']}/"
    told = ada("post", f"{address}test/")
    assert told.status_code == 202 and told.json()["kind"] == "webhook.test"
    replay = f"{address}deliveries/{told.json()['id']}/replay/"
    assert ada("post", replay).status_code == 409
    WebhookDelivery.objects.update(state="failed", due_at=None)
    assert ada("post", replay).json()["state"] == "pending"
    assert ada("post", f"/webhooks/{hook['id'] + 1}/deliveries/{told.json()['id']}/replay/").status_code == 404
    (shown,) = ada("get", f"{address}deliveries/").json()["results"]
    assert shown["body"].startswith('{"type": "webhook.test"') and shown["webhook_id"].startswith("msg_")
    assert ada("patch", address, {"is_active": False}).status_code == 200
    assert ada("post", f"{address}test/").status_code == 409
    assert WebhookDelivery.objects.get().error == "the webhook was switched off"


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://10.0.0.1/"},
        {"url": "https://169.254.169.254/latest/"},
        {"url": "ftp://hooks.example/"},
        {"url": "https://user:pw@hooks.example/"},
        {"url": "javascript:alert(1)"},
        {"kinds": []},
        {"kinds": ["conversation.eaten"]},
        {"kinds": "x"},
    ],
)
def test_a_wrong_webhook_is_refused(ada: Caller, hook: dict[str, Any], wrong: dict[str, Any]) -> None:
    assert ada("patch", f"/webhooks/{hook['id']}/", wrong).status_code == 400


def test_webhooks_know_their_kinds() -> None:
    assert {"conversation.opened", "message.received", "message.written", "clock.breached"} <= set(webhooks.kinds())


def test_changes_of_configuration_are_on_record(ada: Caller, company: Company) -> None:
    plan = Plan.objects.get(name="Standard")
    ada("patch", f"/plans/{plan.pk}/", {"realtime_days": 31})
    ada("patch", f"/plans/{plan.pk}/", {"realtime_days": 31})
    entry = AuditEntry.objects.get(kind="plan")
    assert (entry.actor, entry.action, entry.name, entry.before, entry.after) == (
        company.ada,
        "changed",
        "Standard",
        {"realtime_days": 30},
        {"realtime_days": 31},
    )
    ada("patch", f"/agents/{company.linus.pk}/", {"role": "admin", "password": "correct horse battery"})
    changed = AuditEntry.objects.get(kind="user", action="changed")
    assert changed.before["role"] == "agent" and changed.after["role"] == "admin"
    assert changed.after["password"] == audit.HIDDEN and "correct horse" not in str(changed.after)


def test_secrets_given_are_told_and_never_shown(ada: Caller, company: Company) -> None:
    body = {"mailbox": "support@demo.example", "host": "imap.example", "username": "u", "secret": "swordfish"}
    account = ada("post", "/imap-accounts/", body).json()["id"]
    ada("patch", f"/imap-accounts/{account}/", {"secret": "sailfish"})
    log = list(AuditEntry.objects.filter(kind="imapaccount").order_by("pk").values_list("action", "after"))
    assert [action for action, _ in log] == ["created", "changed"]
    assert log[1][1] == {"secret": audit.HIDDEN} and "fish" not in str(log)


def test_what_was_refused_is_not_on_record(ada: Caller, company: Company) -> None:
    default = Plan.objects.get(is_default=True)
    assert ada("delete", f"/plans/{default.pk}/").status_code == 400
    assert not AuditEntry.objects.exists()


def test_the_log_only_grows(ada: Caller, company: Company) -> None:
    team = Team.objects.earliest("pk")
    entry = audit.record(company.ada.pk, "changed", team, {"name": "a"}, {"name": "b"}, at=timezone.now())
    assert entry is not None
    for statement in ("UPDATE {} SET name = 'x'", "DELETE FROM {}"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(AuditEntry._meta.db_table))
    assert ada("delete", f"/audit/{entry.pk}/").status_code == 405


def test_the_log_is_filtered(ada: Caller, company: Company) -> None:
    team = Team.objects.earliest("pk")
    for number in range(3):
        audit.record(company.ada.pk, "changed", team, {"n": number}, {"n": number + 1}, at=timezone.now())
    audit.record(None, "exported", team, {}, {}, at=timezone.now())
    found = {
        name: len(ada("get", "/audit/", **{name: value}).json()["results"])
        for name, value in {"actor": company.ada.pk, "action": "exported", "thing": team.pk, "kind": "plan"}.items()
    }
    assert found == {"actor": 3, "action": 1, "thing": 4, "kind": 0}


def test_audited_values_are_bounded_and_without_secrets(company: Company, at: datetime) -> None:
    deep: dict[str, Any] = {"api_token": "t"}
    for _ in range(50):
        deep = {"in": deep, "secret": "s", "list": list(range(1_000))}
    entry = audit.record(None, "changed", Team(pk=1, name="x"), {}, {"deep": deep, "text": "x" * 10_000}, at=at)
    assert entry is not None and len(str(entry.after)) < 50_000
    assert entry.after["deep"]["secret"] == audit.HIDDEN and "'s'" not in str(entry.after)


def test_the_session_of_the_desk_may_use_it_too(company: Company) -> None:
    client = Client()
    client.force_login(company.ada)
    assert client.get("/api/v1/audit/").status_code == 200


def test_a_note_by_a_rule_is_shown(ada: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    ada("post", "/rules/", {**RULE, "event": "note.written", "conditions": []})
    conversations.note(conversation.pk, company.grace, "x", at=at)
    settle(at)
    messages = ada("get", f"/conversations/{conversation.pk}/messages/").json()["results"]
    assert [(m["kind"], m["author"]["kind"]) for m in messages][-1] == ("note", "system")


def test_what_is_changed_by_steps_of_its_own_is_on_record_too(ada: Caller, company: Company, at: datetime) -> None:
    schedule, calendar = Schedule.objects.get().pk, Calendar.objects.get(name="24x7").pk
    body = {"user": "ada@demo.example", "start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}
    override = ada("post", f"/schedules/{schedule}/overrides/", body)
    assert override.status_code == 201, override.content
    assert ada("delete", f"/schedules/{schedule}/overrides/{override.json()['id']}/").status_code == 204
    imported = ada("post", f"/calendars/{calendar}/holiday-imports/", {"country": "DE", "subdivision": "BE"})
    assert imported.status_code == 200
    suspended = SuspendedAddress.objects.create(
        address="gone@acme.example", hard_bounces=2, bounced_at=at, until=timezone.now() + timedelta(days=1)
    )
    assert ada("delete", f"/suspended-addresses/{suspended.pk}/").status_code == 204
    log = AuditEntry.objects.order_by("pk").values_list("kind", "action", "actor")
    assert list(log) == [
        ("override", "created", company.ada.pk),
        ("override", "ended", company.ada.pk),
        ("calendar", "changed", company.ada.pk),
        ("suspendedaddress", "deleted", company.ada.pk),
    ]
    assert AuditEntry.objects.get(kind="calendar").after["holidays"]
