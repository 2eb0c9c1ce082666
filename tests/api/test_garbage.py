"""Whatever is sent, the answer is JSON with a reason, and never an error of ours."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Plan
from helpdesk.events.models import Webhook
from helpdesk.oncall import paging
from helpdesk.oncall.models import EscalationPolicy, NotificationRule, Schedule
from helpdesk.sla.models import Calendar, Policy
from tests.api.conftest import API, Caller
from tests.api.spoiling import EASY, VALUES, is_a_clear_answer, send_spoiled
from tests.fixtures.cells import each
from tests.fixtures.company import Company
from tickets.models import CannedReply, ChecklistItem, ImapAccount, Macro, Mailbox, Rule

pytestmark = pytest.mark.django_db

# Bodies that make sense; each is sent with some of its parts replaced by things that make none.
LAYER = {
    "position": 1,
    "rotation": "weekly",
    "turn": 1,
    "starts_on": "2026-01-05",
    "handoff": "09:00",
    "restrictions": [{"days": [0, 1], "start": "08:00", "end": "20:00"}],
    "members": ["{agent}"],
}
REQUEST = {
    "subject": "Slow",
    "text": "It is slow",
    "customer": {"email": "carol@acme.example", "name": "Carol"},
    "priority": "high",
    "team": "Support",
    "services": ["c01"],
    "tags": ["slow"],
    "channel": "api",
    "client_id": "6f1c7e0a-93a5-4f0e-8a35-000000000000",
}
CHANGES = {
    "status": "open",
    "priority": "low",
    "team": "Support",
    "assignee": "grace@demo.example",
    "tags": ["a"],
    "services": ["c01"],
    "subject": "x",
}
CUSTOMER = {"email": "new@b.example", "name": "N", "organization": None, "language": "de", "timezone": "Europe/Berlin",
            "notes": "", "blocked_at": None}  # fmt: skip
CALENDAR = {"name": "New", "timezone": "Europe/Berlin", "week": {"mon": [["08:00", "20:00"]]}, "is_office": False,
            "holidays": [{"date": "2026-12-25", "name": "Christmas"}]}  # fmt: skip
AGENT = {"email": "n@b.example", "name": "N", "role": "admin", "timezone": "UTC", "language": "en", "is_active": True,
         "teams": [], "password": "correct horse battery"}  # fmt: skip
POLICY = {"name": "New", "calendar": "{calendar}", "goals": [{"target": "dispatch", "priority": "low", "minutes": 5}]}
SCHEDULE = {
    "name": "New",
    "timezone": "UTC",
    "fallback": "ada@demo.example",
    "layers": [{**LAYER, "position": 2, "members": []}, LAYER],
}
MESSAGE = {"kind": "note", "text": "x", "client_id": "6f1c7e0a-93a5-4f0e-8a35-000000000000"}
PLAN = {
    "name": "P",
    "policy": "{policy}",
    "support_hours": "{calendar}",
    "urgent_when_closed": True,
    "realtime": "never",
    "realtime_days": 1,
    "realtime_channels": ["chat"],
    "is_default": True,
}
ICAL = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20261224\nSUMMARY:Eve\nEND:VEVENT\nEND:VCALENDAR\n"
STEP = {"schedule": None, "user": "ada@demo.example", "delay_seconds": 60}
ESCALATION = {"name": "New", "repeats": None, "is_default": False, "steps": [STEP, {"schedule": "{schedule}"}]}
RULE = {"user": "ada@demo.example", "urgency": "low", "channel": "email", "to": "a@b.example", "delay_seconds": 0,
        "quiet_from": "20:00", "quiet_until": "08:00"}  # fmt: skip
MAILBOX = {"address": "new@b.example", "aliases": ["old@b.example"], "name": "N", "team": "Support",
           "priority": "low", "signature": "", "is_default": False}  # fmt: skip
IMAP = {"mailbox": "{mailbox}", "host": "imap.b.example", "port": 993, "use_tls": True, "username": "u",
        "secret": "s", "folder": "INBOX", "is_active": True}  # fmt: skip
ASKED = [{"field": "status", "operator": "is", "value": ["new"]}, {"field": "custom.x", "operator": "is_empty"},
         {"field": "text", "operator": "contains", "value": "x"}]  # fmt: skip
DONE = [{"do": "set_status", "value": "open"}, {"do": "assign", "value": "{agent}"}, {"do": "add_tags", "value": ["a"]},
        {"do": "snooze", "value": 2}, {"do": "reply", "value": "Hello {{ customer.name }}"},
        {"do": "notify", "value": ["{agent}", "assignee"], "text": "x"}]  # fmt: skip
AUTOMATION = {"name": "R", "event": "conversation.opened", "idle_hours": None, "conditions": ASKED, "actions": DONE,
              "position": 0, "is_active": True}  # fmt: skip
MACRO = {"name": "M", "owner": None, "team": None, "position": 0, "actions": DONE[:5]}
CANNED = {"name": "C", "shortcut": "hi", "text": "Hello {{ customer.name|you }}", "owner": None, "team": None}
VIEW = {"name": "V", "filters": {"status": ["open"], "team": "mine", "custom": {"x": "y"}}, "newest_first": True}
FIELD = {"key": "new", "name": "N", "kind": "choice", "choices": ["a"], "is_required": False, "position": 1}
HOOK = {
    "name": "H",
    "url": "https://127.0.0.1/x",
    "kinds": ["note.written"],
    "includes_private": False,
    "is_active": True,
}
FORWARD = {"message": "{message}", "to": ["noc@b.example"], "text": "x", "attachments": []}
BULK = {"conversations": ["{conversation}", "{other}"], "client_id": MESSAGE["client_id"], "priority": "high",
        "add_tags": ["a"], "remove_tags": [], "team": None, "reply": "Hi", "then": "open"}  # fmt: skip
CHOICE = {"ways": {"mention": ["badge"], "risk": []}, "quiet_from": "20:00", "quiet_until": None, "hides_text": True}
WRITABLE = [
    ("post", "/rules/", AUTOMATION),
    ("post", "/rules/dry-run/", AUTOMATION),
    ("patch", "/rules/{automation}/", AUTOMATION),
    ("post", "/macros/", MACRO),
    ("patch", "/macros/{macro}/", MACRO),
    ("post", "/conversations/{conversation}/macros/", {"macro": "{macro}"}),
    ("post", "/conversations/{conversation}/followers/", {"emails": ["new@b.example", "gil@globex.example"]}),
    ("post", "/conversations/{conversation}/checklist/", {"text": "x"}),
    ("patch", "/conversations/{conversation}/checklist/{item}/", {"is_done": True}),
    ("post", "/conversations/{conversation}/time-entries/", {"minutes": 5, "note": "x"}),
    ("put", "/conversations/{conversation}/draft/", {"kind": "note", "text": "x"}),
    ("post", "/conversations/{conversation}/forwards/", FORWARD),
    ("post", "/conversations/{conversation}/canned-replies/", {"canned_reply": "{canned}"}),
    ("post", "/conversations/{conversation}/undo/", {"after": 0, "until": 3}),
    ("post", "/bulk-changes/", BULK),
    ("patch", "/notification-choice/", CHOICE),
    ("post", "/canned-replies/", CANNED),
    ("post", "/views/", VIEW),
    ("post", "/custom-fields/", FIELD),
    ("post", "/blocked-senders/", {"handle": "@junk.example", "why": "x"}),
    ("post", "/webhooks/", HOOK),
    ("patch", "/webhooks/{webhook}/", HOOK),
    ("post", "/conversations/", REQUEST),
    ("patch", "/conversations/{conversation}/", CHANGES),
    ("post", "/conversations/{conversation}/messages/", MESSAGE),
    ("post", "/conversations/{conversation}/merge/", {"into": "{other}"}),
    ("post", "/conversations/{conversation}/links/", {"previous": "{other}"}),
    ("post", "/conversations/{conversation}/links/", {"relation": "parent", "id": "{other}"}),
    ("post", "/conversations/{conversation}/split/", {"messages": ["{message}"], "subject": "x"}),
    ("post", "/customers/", CUSTOMER),
    ("patch", "/customers/{customer}/", CUSTOMER),
    (
        "post",
        "/organizations/",
        {"name": "O", "plan": "{plan}", "customer_since": "2026-01-01", "domains": ["o.example"]},
    ),
    ("post", "/plans/", PLAN),
    ("post", "/services/", {"kind": "server", "name": "s", "aliases": ["t"], "parent": None, "organizations": []}),
    ("post", "/teams/", {"name": "T", "escalation_policy": None}),
    ("post", "/tags/", {"name": "t"}),
    ("post", "/agents/", AGENT),
    ("patch", "/agents/{agent}/", AGENT),
    ("post", "/calendars/", CALENDAR),
    ("patch", "/calendars/{calendar}/", CALENDAR),
    ("post", "/calendars/{calendar}/holiday-imports/", {"country": "DE", "subdivision": "BE"}),
    ("post", "/calendars/{calendar}/holidays/import/", {"name": "x", "text": ICAL}),
    ("post", "/escalation-policies/", ESCALATION),
    ("patch", "/escalation-policies/{escalation}/", ESCALATION),
    ("post", "/notification-rules/", RULE),
    ("patch", "/notification-rules/{rule}/", RULE),
    ("post", "/mailboxes/", MAILBOX),
    ("patch", "/mailboxes/{mailbox}/", MAILBOX),
    ("post", "/imap-accounts/", IMAP),
    ("patch", "/imap-accounts/{imap}/", IMAP),
    ("post", "/policies/", POLICY),
    ("patch", "/policies/{policy}/", POLICY),
    ("post", "/schedules/", SCHEDULE),
    ("patch", "/schedules/{schedule}/", SCHEDULE),
    (
        "post",
        "/schedules/{schedule}/overrides/",
        {"user": "ada@demo.example", "start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z", "reason": ""},
    ),
    ("post", "/pages/{page}/acknowledgement/", {"handling": "x", "client_id": MESSAGE["client_id"]}),
    ("post", "/pages/{page}/resolution/", {}),
]
QUERIES = [
    ("/rules/{automation}/dry-run/", "limit before"),
    ("/rules/{automation}/runs/", "cursor page_size"),
    ("/inbox/", "view status team assignee tag customer after"),
    ("/search/", "q sort from"),
    ("/mentions/", "seen_at__isnull conversation cursor"),
    ("/bulk-changes/", "cursor page_size"),
    ("/audit/", "kind thing actor action since until cursor"),
    ("/webhooks/{webhook}/deliveries/", "cursor page_size"),
    ("/conversations/", "status channel assignee team priority customer organization tag service q updated_since"),
    ("/conversations/", "cursor page_size q tag format"),
    ("/conversations/{conversation}/messages/", "cursor page_size"),
    ("/conversations/{conversation}/events/", "after page_size"),
    ("/customers/", "email organization q cursor"),
    ("/pages/", "state urgency conversation dedup_key cursor"),
    ("/notification-rules/", "user urgency cursor"),
    ("/suspended-addresses/", "address cursor"),
    ("/inbound-emails/", "state source conversation message_id sha256 cursor"),
    ("/schedules/{schedule}/timeline/", "from until"),
    ("/schedules/{schedule}/gaps/", "from until"),
]


@pytest.fixture
def there(company: Company, conversation: Conversation, at: Any) -> dict[str, int]:
    other = conversations.receive_message(
        conversations.Inbound(channel="form", customer=company.gil, at=at, subject="Other", text="Other")
    )
    page = paging.trigger("x", paging.Reason("dispatch", "Late", at), urgency="low", summary="Late", at=at)
    return {
        "conversation": conversation.pk,
        "other": other.conversation_id,
        "plan": Plan.objects.get(name="Standard").pk,
        "customer": conversation.customer_id,
        "page": page.pk,
        "agent": company.linus.pk,
        "calendar": Calendar.objects.get(name="24x7").pk,
        "policy": Policy.objects.get(name="12x5").pk,
        "schedule": Schedule.objects.get().pk,
        "message": conversation.messages.get().pk,
        "escalation": EscalationPolicy.objects.get().pk,
        "rule": NotificationRule.objects.earliest("pk").pk,
        "mailbox": Mailbox.objects.earliest("pk").pk,
        "automation": Rule.objects.create(name="x", event="note.written", updated_at=at).pk,
        "macro": Macro.objects.create(name="x", actions=[{"do": "add_tags", "value": ["x"]}], updated_at=at).pk,
        "webhook": Webhook.objects.create(name="x", url="https://x.example", kinds=["note.written"], created_at=at).pk,
        "item": ChecklistItem.objects.create(conversation=conversation, text="x").pk,
        "canned": CannedReply.objects.create(name="x", shortcut="x", text="x", updated_at=at).pk,
        "imap": ImapAccount.objects.create(
            mailbox=Mailbox.objects.earliest("pk"), host="imap.b.example", username="u", secret="x"
        ).pk,
    }


def test_bodies(ada: Caller, there: dict[str, int]) -> None:
    send_spoiled(ada, WRITABLE, there)


def test_queries(ada: Caller, there: dict[str, int]) -> None:
    words = st.sampled_from([str(value) for value in VALUES if value != "\ud800"]) | st.text(
        st.characters(exclude_categories=["Cs"]), max_size=30
    )

    def check(cell: tuple[str, str]) -> None:
        path, names = cell

        @EASY
        @given(query=st.dictionaries(st.sampled_from(names.split()), words, max_size=3))
        def run(query: dict[str, str]) -> None:
            answer = ada("get", path.format(**there), **query)
            assert is_a_clear_answer(answer), (query, answer.content)

        run()

    each(QUERIES, check)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b'{"text": NaN}', 400),
        (b'{"text": 1e999}', 400),
        (b'{"text": "\\u0000"}', 400),
        (b'{"\\u0000": "x"}', 400),
        (b'{"text": "\\ud800"}', 400),
        (b'{"customer": 123456789012345678901234567890}', 400),
        (b'{"customer": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b'{"text": "' + b"x" * 5_000_001 + b'"}', 413),
    ],
    ids=range(16),
)
def test_what_is_no_sensible_json(grace: Caller, body: bytes, status: int) -> None:
    answer = grace.client.post(f"{API}/conversations/", body, content_type="application/json", headers=grace.headers)
    assert answer.status_code == status and answer["Content-Type"] == "application/json" and answer.json()
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_other_kinds_of_body(grace: Caller, kind: str) -> None:
    answer = grace.client.post(f"{API}/conversations/", b"x=1", content_type=kind, headers=grace.headers)
    assert answer.status_code == 415 and answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/nothing",
        "/api/v1/",
        "/api/v2/conversations/",
        f"{API}/nothing/",
        f"{API}/conversations",
        f"{API}/conversations/x/",
        f"{API}/conversations/0/",
        f"{API}/conversations/-1/",
        f"{API}/conversations/999999999999999999/",
        f"{API}/conversations/{'9' * 400}/",
        f"{API}/conversations/%00/",
        f"{API}/conversations/999999999999999999/messages/",
        f"{API}/conversations/{'9' * 400}/messages/",
        f"{API}/attachments/{'9' * 30}/content/",
        f"{API}/pages/{'9' * 30}/acknowledgement/",
    ],
)
def test_unknown_addresses(grace: Caller, stranger: Caller, path: str) -> None:
    for method in ("get", "post", "delete"):
        answer = grace(method, path)
        assert answer.status_code in (400, 404, 405) and answer["Content-Type"] == "application/json", (method, answer)
        assert answer.json()
    assert stranger("get", path).status_code in (401, 404)


def test_a_browser_that_wants_a_page_gets_json(grace: Caller) -> None:
    headers = {**grace.headers, "Accept": "text/html"}
    assert grace.client.get(f"{API}/conversations/", headers=headers)["Content-Type"] == "application/json"
    both = {**grace.headers, "Accept": "text/html,*/*;q=0.8"}
    assert grace.client.get(f"{API}/conversations/", headers=both).status_code == 200
