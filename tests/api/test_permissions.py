"""Who may do what: every address of the API with every method, for nobody, a viewer, an agent and an admin."""

import re
from datetime import timedelta
from itertools import count

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from chat.models import Booking, Widget, WidgetSecret
from helpdesk.conversations.models import Conversation, CustomField, Tag
from helpdesk.customers import audit
from helpdesk.customers.models import ApiToken, AuditEntry, Organization, Plan, Service, Team, User
from helpdesk.events.models import Webhook, WebhookDelivery
from helpdesk.oncall import paging
from helpdesk.oncall.models import EscalationPolicy, NotificationRule, Schedule
from helpdesk.ratings import giving
from helpdesk.sla.models import Calendar, Policy
from quotes.days import office_day
from status.models import Incident, IncidentConversation
from tests.api.conftest import Caller
from tests.api.things import on_the_networks, on_the_status_page
from tests.fixtures.cells import each
from tests.fixtures.company import Company
from tests.quotes.offers import drafted
from tickets.models import (
    BlockedSender,
    ChecklistItem,
    Draft,
    ImapAccount,
    InboundEmail,
    Mailbox,
    Rule,
    SuspendedAddress,
)

pytestmark = pytest.mark.django_db

# What an agent may call, by each method.
OPEN = {
    "/conversations/": "get post",
    "/conversations/{conversation}/": "get patch",
    "/conversations/{conversation}/messages/": "get post",
    "/conversations/{conversation}/events/": "get",
    "/conversations/{conversation}/clocks/dispatch/explanation/": "get",
    "/conversations/{conversation}/merge/": "post",
    "/conversations/{conversation}/split/": "post",
    "/conversations/{conversation}/links/": "get post delete",
    "/conversations/{conversation}/messages/{message}/retry/": "post",
    "/conversations/{conversation}/messages/{message}/taking-back/": "post",
    "/conversations/{conversation}/undo/": "post",
    "/conversations/{conversation}/draft/": "get put delete",
    "/conversations/{conversation}/forwards/": "post",
    "/conversations/{conversation}/canned-replies/": "post",
    "/conversations/{conversation}/mentions-seen/": "post",
    "/conversations/{conversation}/followers/": "get post",
    "/conversations/{conversation}/followers/{follower}/": "delete",
    "/conversations/{conversation}/checklist/": "get post",
    "/conversations/{conversation}/checklist/{item}/": "patch delete",
    "/conversations/{conversation}/time-entries/": "get post",
    "/inbox/": "get",
    "/inbox/counts/": "get",
    "/search/": "get",
    "/mentions/": "get",
    "/notification-choice/": "get patch",
    "/bulk-changes/": "get post",
    "/customers/": "get post",
    "/customers/{customer}/": "get patch",
    "/customers/{customer}/chat-grants/": "get post",
    "/customers/{customer}/entitlements/": "get",
    "/chat-agents/": "get",
    "/chat-agents/{chatter}/": "get patch",
    "/bookings/": "get",
    "/bookings/{booking}/": "get patch",
    "/bookings/{booking}/cancellation/": "post",
    "/incidents/": "get post",
    "/incidents/{incident}/": "get patch",
    "/incidents/{incident}/updates/": "get post",
    "/incidents/{incident}/updates/{said}/": "get patch delete",
    "/incidents/{incident}/updates/{said}/publication/": "post",
    "/incidents/{incident}/conversations/": "get post",
    "/incidents/{incident}/conversations/{conversation}/": "delete",
    "/maintenances/{maintenance}/conversations/": "get post",
    "/maintenances/{maintenance}/conversations/{conversation}/": "delete",
    "/maintenances/": "get post",
    "/maintenances/{maintenance}/": "get",
    "/maintenances/{maintenance}/schedule/": "post",
    "/maintenances/{maintenance}/cancellation/": "post",
    "/maintenances/{maintenance}/updates/": "get post",
    "/maintenances/{maintenance}/updates/{planned}/": "get patch delete",
    "/maintenances/{maintenance}/updates/{planned}/publication/": "post",
    "/inbound-emails/": "get",
    "/inbound-emails/{inboundemail}/": "get",
    "/pages/": "get",
    "/pages/{page}/": "get",
    "/pages/{page}/acknowledgement/": "post",
    "/pages/{page}/resolution/": "post",
    "/oncall/now/": "get",
    "/reports/": "get",
    "/reports/times/": "get",
    "/schedules/{schedule}/timeline/": "get",
    "/schedules/{schedule}/gaps/": "get",
    "/notification-rules/": "get post",
    "/notification-rules/{own}/": "get patch delete",
    "/conversations/{conversation}/macros/": "post",
    "/macros/": "get post",
    "/canned-replies/": "get post",
    "/views/": "get post",
    "/posts/": "get post",
    "/posts/{post}/": "get",
    "/announcements/": "get post",
    "/announcements/{announcement}/": "get",
    **{f"/announcements/{{announcement}}/{act}/": "post" for act in ("submission", "approval", "withdrawal")},
    **{f"/announcements/{{announcement}}/{act}/": "post" for act in ("retry", "posted")},
    "/calls/": "get post",
    "/text-count/": "post",
    "/quotes/": "get post",
    "/quotes/{draft}/": "get delete",
    "/quotes/{draft}/sending/": "post",
    "/quotes/{draft}/withdrawal/": "post",
    "/blocked-senders/": "get post",
    "/blocked-senders/{blocked}/": "get delete",
}
# What viewers may send, of which some is refused when it is read; they read what agents read.
VIEWERS_SEND = {
    "/conversations/{conversation}/messages/": "post",
    "/conversations/{conversation}/draft/": "put delete",
    "/conversations/{conversation}/mentions-seen/": "post",
    "/notification-choice/": "patch",
    "/views/": "post",
    "/notification-rules/": "post",
    "/notification-rules/{own}/": "patch delete",
}
# Each agent's own, which others find missing, admins too: asked for below, and in test_automation.
OWN = {
    "/conversations/{conversation}/time-entries/{entry}/",
    "/bulk-changes/{bulk}/",
    "/bulk-changes/{bulk}/undo/",
    "/macros/{kept}/",
    "/canned-replies/{kept}/",
    "/views/{kept}/",
}
CONFIGURED = {
    "/ratings/": "get",
    "/ratings/{rating}/": "get patch",
    "/organizations/": "get post",
    "/organizations/{organization}/": "get patch delete",
    "/plans/": "get post",
    "/plans/{plan}/": "get patch delete",
    "/services/": "get post",
    "/services/{service}/": "get patch delete",
    "/teams/": "get post",
    "/teams/{team}/": "get patch delete",
    "/agents/": "get post",
    "/agents/{agent}/": "get patch",
    "/agents/{agent}/invitation/": "post",
    "/agents/{agent}/login-reset/": "post",
    "/tags/": "get post",
    "/tags/{tag}/": "get patch delete",
    "/calendars/": "get post",
    "/calendars/{calendar}/": "get patch delete",
    "/calendars/{calendar}/holiday-imports/": "post",
    "/calendars/{calendar}/holidays/import/": "post",
    "/policies/": "get post",
    "/policies/{policy}/": "get patch delete",
    "/schedules/": "get post",
    "/schedules/{schedule}/": "get patch delete",
    "/schedules/{schedule}/overrides/": "get post",
    "/escalation-policies/": "get post",
    "/escalation-policies/{escalationpolicy}/": "get patch delete",
    "/mailboxes/": "get post",
    "/mailboxes/{mailbox}/": "get patch delete",
    "/imap-accounts/": "get post",
    "/imap-accounts/{imapaccount}/": "get patch delete",
    "/suspended-addresses/": "get",
    "/suspended-addresses/{suspendedaddress}/": "get delete",
    "/rules/": "get post",
    "/rules/dry-run/": "post",
    "/rules/{rule}/": "get patch delete",
    "/rules/{rule}/dry-run/": "get",
    "/rules/{rule}/runs/": "get",
    "/custom-fields/": "get post",
    "/custom-fields/{customfield}/": "get patch delete",
    "/widgets/": "get post",
    "/widgets/{widget}/": "get patch delete",
    "/subscribers/": "get post",
    "/subscribers/{subscriber}/": "get patch delete",
    "/components/": "get post",
    "/components/{component}/": "get patch delete",
    "/accounts/": "get post",
    "/accounts/{account}/": "get patch",
    "/accounts/{account}/probe/": "post",
    "/component-groups/": "get post",
    "/component-groups/{componentgroup}/": "get patch delete",
}
# What agents do not even read.
ADMINS = {
    "/subscribers/import/": "post",
    "/webhooks/": "get post",
    "/webhooks/{webhook}/": "get patch delete",
    "/webhooks/{webhook}/test/": "post",
    "/webhooks/{webhook}/rotation/": "post",
    "/webhooks/{webhook}/deliveries/": "get",
    "/webhooks/{webhook}/deliveries/{webhookdelivery}/replay/": "post",
    "/widgets/{widget}/secrets/": "post",
    "/widgets/{widget}/secrets/{kid}/": "delete",
    "/arrivals/": "get",
    "/arrivals/{arrival}/": "get",
    "/arrivals/{arrival}/replay/": "post",
    "/audit/": "get",
    "/audit/{auditentry}/": "get",
}
# A body that says nothing is refused, and what is in use stays: both come after permission.
FINE = {200, 201, 202, 204, 400, 409}
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def there(company: Company, conversation: Conversation) -> dict[str, int | str]:
    """An id of everything."""
    at = timezone.now()
    page = paging.trigger("x", paging.Reason("dispatch", "Late", at), urgency="low", summary="Late", at=at)
    mailbox = Mailbox.objects.earliest("pk")
    ImapAccount.objects.create(mailbox=mailbox, host="imap.demo.example", username="support", secret="x")
    later = at + timedelta(days=1)
    Booking.objects.create(
        widget=Widget.objects.create(key="pk_x", name="x", created_at=at), customer=company.carol,
        starts_at=later, ends_at=later + timedelta(minutes=30), seat=1, email="c@acme.example", booked_at=at,
    )  # fmt: skip
    SuspendedAddress.objects.create(address="gone@acme.example", hard_bounces=2, bounced_at=at, until=later)
    models = (
        *(Organization, Plan, Service, Team, Tag, Calendar, Policy, Schedule, EscalationPolicy),
        *(Mailbox, ImapAccount, SuspendedAddress, Rule, CustomField, Webhook, WebhookDelivery, AuditEntry),
        *(Widget, Booking),
    )
    Rule.objects.create(name="x", event="note.written", actions=[{"do": "mark_spam", "value": None}], updated_at=at)
    CustomField.objects.create(key="cluster", name="Cluster")
    for user in (company.grace, company.ada, company.linus):
        Draft.objects.create(conversation=conversation, user=user, text="x", updated_at=at)
    InboundEmail.objects.create(
        source="smtp",
        transport_key="x",
        received_at=at,
        raw=b"x",
        sha256="0" * 64,
        size=1,
        state="blocked",
        settled_at=at,
    )
    webhook = Webhook.objects.create(name="x", url="https://127.0.0.1/", kinds=["note.written"], created_at=at)
    WebhookDelivery.objects.create(webhook=webhook, kind="webhook.test", body="{}", created_at=at, due_at=at)
    audit.record(None, "changed", webhook, {}, {}, at=at)
    return {
        **on_the_status_page(at),
        **on_the_networks(conversation, at),
        "rating": giving.give(conversation.pk, 1, "", via="chat", at=at, is_still_open=True).pk,
        "conversation": conversation.pk,
        "message": conversation.messages.get().pk,
        "inboundemail": InboundEmail.objects.get().pk,
        "customer": conversation.customer_id,
        "page": page.pk,
        "agent": company.linus.pk,
        "chatter": company.grace.pk,
        **{model.__name__.lower(): model._default_manager.order_by("pk").first().pk for model in models},  # type: ignore[union-attr]
    }


def _link(conversation: Conversation, incident: str) -> None:
    found = Incident.objects.get(public_id=incident)
    link = {"incident": found, "how": "hand", "linked_at": conversation.opened_at}
    IncidentConversation.objects.update_or_create(conversation=conversation, defaults=link)


def test_matrix(stranger: Caller, grace: Caller, ada: Caller, company: Company, there: dict[str, int | str]) -> None:
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    callers = {"nobody": stranger, "viewer": Caller(company.linus), "agent": grace, "admin": ada}
    rules = {"user": company.grace, "urgency": "high", "channel": "email", "to": "g@demo.example"}
    delays = count(100)

    def address(path: str) -> str:
        # What an agent deletes an admin needs another one of.
        number, here = next(delays), Conversation.objects.get(pk=there["conversation"])
        here.followers.add(company.uma)
        _link(here, str(there["maintenance" if "{maintenance}" in path else "incident"]))
        fresh = {
            "own": NotificationRule.objects.create(**rules, delay_seconds=number).pk,
            "item": ChecklistItem.objects.create(conversation=here, text="x").pk,
            "follower": company.uma.pk,
            "kid": WidgetSecret.objects.create(
                widget_id=there["widget"], kid=f"k{number}", created_at=here.opened_at
            ).kid,
            "draft": drafted(here, company.grace, timezone.now(), valid_until=office_day(timezone.now())).pk,
            "blocked": BlockedSender.objects.create(handle=f"x{number}@b.example", at=here.opened_at).pk,
        }
        return path.format(**there, **fresh)

    def check(path: str) -> None:
        for method in METHODS:
            allowed = method in {**OPEN, **CONFIGURED, **ADMINS}[path].split()
            by_agent = allowed and (path in OPEN or (method == "get" and path in CONFIGURED))
            answers = {who: caller(method, address(path), {}) for who, caller in callers.items()}
            assert answers["nobody"].status_code == 401 and answers["nobody"]["WWW-Authenticate"] == "Token"
            expected = FINE if by_agent else {403} if allowed else {403, 405}
            assert answers["agent"].status_code in expected, method
            sends = method in VIEWERS_SEND.get(path, "").split()
            reads = by_agent and method == "get" and "{own}" not in path
            fine_for_viewers = expected if reads else {*FINE, 404} if sends else {403, 404, 405}
            assert answers["viewer"].status_code in fine_for_viewers, method
            assert answers["admin"].status_code in (FINE if allowed else {405}), method
            for answer in answers.values():
                is_json = answer["Content-Type"] == "application/json" if answer.status_code != 204 else True
                assert is_json and (answer.status_code == 204 or answer.json() is not None)

    each([*OPEN, *CONFIGURED, *ADMINS], check)


def test_every_address_is_asked_for() -> None:
    asked = {re.sub(r"\{\w+\}", "{}", path) for path in [*OPEN, *CONFIGURED, *ADMINS, *OWN]}
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    there = {re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")) for path in schema["paths"]}
    asked |= {"/conversations/{}/clocks/{}/explanation/", "/reports/{}/", "/schedules/{}/overrides/{}/"}
    # Bytes, no JSON: test_private_teams and test_messages ask for them.
    asked |= {"/attachments/{}/content/"}
    # What an agent may do there differs by method: tests/knowledge/test_api and tests/phone/test_texts ask for them.
    asked |= {f"/articles/{rest}" for rest in ("", "{}/", "{}/files/", "{}/files/{}/", "{}/versions/")}
    asked |= {"/articles/{}/versions/{}/restoring/", "/categories/", "/categories/{}/", "/calls/{}/"}
    assert there - asked == set()


def test_what_is_ones_own_is_missing_for_others(
    ada: Caller, grace: Caller, company: Company, conversation: Conversation
) -> None:
    time = grace("post", f"/conversations/{conversation.pk}/time-entries/", {"minutes": 5}).json()["id"]
    done = grace("post", "/bulk-changes/", {"conversations": [conversation.pk], "priority": "high"}).json()["id"]

    for method, path in (
        ("delete", f"/conversations/{conversation.pk}/time-entries/{time}/"),
        ("get", f"/bulk-changes/{done}/"),
        ("post", f"/bulk-changes/{done}/undo/"),
    ):
        assert ada(method, path, {}).status_code == 404, path
        assert grace(method, path, {}).status_code in (200, 204), path


def test_a_token_ends(grace: Caller, company: Company) -> None:
    assert grace("get", "/teams/").status_code == 200
    ApiToken.objects.update(revoked_at=timezone.now())
    assert grace("get", "/teams/").status_code == 401
    ApiToken.objects.update(revoked_at=None)
    company.grace.is_active = False
    company.grace.save()
    assert grace("get", "/teams/").status_code == 401


@pytest.mark.parametrize("given", ["Token", "Token a b", "Token x", "Bearer x", "Token \xe9", "Basic YTpi"])
def test_a_wrong_token_lets_nobody_in(company: Company, given: str) -> None:
    assert Client().get("/api/v1/teams/", headers={"Authorization": given}).status_code == 401


def test_the_session_of_the_desk_counts_with_its_csrf_token(company: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.grace)
    assert client.get("/api/v1/conversations/").status_code == 200
    refused = client.post("/api/v1/conversations/", {"text": "x"}, content_type="application/json")
    assert refused.status_code == 403 and "CSRF" in refused.json()["detail"]
