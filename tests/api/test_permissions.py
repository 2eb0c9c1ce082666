"""Who may do what: every endpoint with every method, for nobody, an agent and an admin."""

from datetime import timedelta
from itertools import count

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.conversations.models import Conversation, Tag
from helpdesk.customers import audit
from helpdesk.customers.models import ApiToken, AuditEntry, Organization, Plan, Service, Team
from helpdesk.events.models import Webhook, WebhookDelivery
from helpdesk.oncall import paging
from helpdesk.oncall.models import EscalationPolicy, NotificationRule, Schedule
from helpdesk.sla.models import Calendar, Policy
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tickets.models import CustomField, ImapAccount, Mailbox, Rule, SuspendedAddress

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
    "/customers/": "get post",
    "/customers/{customer}/": "get patch",
    "/inbound-emails/": "get",
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
    "/blocked-senders/": "get post",
}
CONFIGURED = {
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
}
# What agents do not even read.
ADMINS = {
    "/webhooks/": "get post",
    "/webhooks/{webhook}/": "get patch delete",
    "/webhooks/{webhook}/test/": "post",
    "/webhooks/{webhook}/rotation/": "post",
    "/webhooks/{webhook}/deliveries/": "get",
    "/webhooks/{webhook}/deliveries/{webhookdelivery}/replay/": "post",
    "/audit/": "get",
    "/audit/{auditentry}/": "get",
}
# A body that says nothing is refused, and what is in use stays: both come after permission.
FINE = {200, 201, 202, 204, 400, 409}
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def there(company: Company, conversation: Conversation) -> dict[str, int]:
    """An id of everything."""
    at = timezone.now()
    page = paging.trigger("x", paging.Reason("dispatch", "Late", at), urgency="low", summary="Late", at=at)
    mailbox = Mailbox.objects.earliest("pk")
    ImapAccount.objects.create(mailbox=mailbox, host="imap.demo.example", username="support", secret="x")
    later = at + timedelta(days=1)
    SuspendedAddress.objects.create(address="gone@acme.example", hard_bounces=2, bounced_at=at, until=later)
    models = (
        *(Organization, Plan, Service, Team, Tag, Calendar, Policy, Schedule, EscalationPolicy),
        *(Mailbox, ImapAccount, SuspendedAddress, Rule, CustomField, Webhook, WebhookDelivery, AuditEntry),
    )
    Rule.objects.create(name="x", event="note.written", actions=[{"do": "mark_spam", "value": None}], updated_at=at)
    CustomField.objects.create(key="cluster", name="Cluster")
    webhook = Webhook.objects.create(name="x", url="https://127.0.0.1/", kinds=["note.written"], created_at=at)
    WebhookDelivery.objects.create(webhook=webhook, kind="webhook.test", body="{}", created_at=at, due_at=at)
    audit.record(None, "changed", webhook, {}, {}, at=at)
    return {
        "conversation": conversation.pk,
        "customer": conversation.customer_id,
        "page": page.pk,
        "agent": company.linus.pk,
        **{model.__name__.lower(): model._default_manager.order_by("pk").first().pk for model in models},  # type: ignore[union-attr]
    }


@pytest.mark.parametrize("path", [*OPEN, *CONFIGURED, *ADMINS])
def test_matrix(
    stranger: Caller, grace: Caller, ada: Caller, company: Company, there: dict[str, int], path: str
) -> None:
    callers = {"nobody": stranger, "agent": grace, "admin": ada}
    rules = {"user": company.grace, "urgency": "high", "channel": "email", "to": "g@demo.example"}
    delays = count(100)

    def address() -> str:
        # What an agent deletes an admin needs another one of.
        return path.format(**there, own=NotificationRule.objects.create(**rules, delay_seconds=next(delays)).pk)

    for method in METHODS:
        allowed = method in {**OPEN, **CONFIGURED, **ADMINS}[path].split()
        by_agent = allowed and (path in OPEN or (method == "get" and path in CONFIGURED))
        answers = {who: caller(method, address(), {}) for who, caller in callers.items()}
        assert answers["nobody"].status_code == 401 and answers["nobody"]["WWW-Authenticate"] == "Token"
        expected = FINE if by_agent else {403} if allowed else {403, 405}
        assert answers["agent"].status_code in expected, method
        assert answers["admin"].status_code in (FINE if allowed else {405}), method
        for answer in answers.values():
            is_json = answer["Content-Type"] == "application/json" if answer.status_code != 204 else True
            assert is_json and (answer.status_code == 204 or answer.json() is not None)


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
