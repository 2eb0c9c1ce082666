"""One row of everything the settings have, so that no page is left out of a test because it was empty."""

from datetime import datetime
from typing import Any

from django.urls import URLPattern

from chat.models import Widget
from helpdesk.conversations.models import CustomField, Tag
from helpdesk.customers import actions as customers
from helpdesk.customers.models import ApiToken, Customer, Organization, Plan, PlanChange, Service, Team, User
from helpdesk.events import webhooks
from helpdesk.events.models import Webhook
from helpdesk.oncall.models import EscalationPolicy, NotificationRule, Schedule
from helpdesk.sla.models import Calendar, Policy
from knowledge.models import Category
from phone.models import Line
from portal.models import Erasure
from social.models import Account
from social.models import Topic as PublicTopic
from status.models import IncidentTemplate, MaintenanceSeries, SignalSource, Subscriber
from tests.fixtures.status import component
from tickets.desk.models import BlockedSender, CannedReply, Macro, Rule, SavedView, Topic
from tickets.models import ImapAccount, Mailbox, SuspendedAddress
from tickets.reports import wallboard
from tickets.urls import urlpatterns

SETTINGS = [
    pattern
    for pattern in urlpatterns
    if str(pattern.name).startswith("settings") or str(pattern.name).startswith("welcome_")
]


def fill(user: User, at: datetime) -> dict[str, int]:
    """Make the rows; the id of one by the key of its area. What is one's own is of `user`."""
    for name in ("ada", "zoe"):
        Tag.objects.create(name=name)
    mailbox = Mailbox.objects.order_by("pk")[0]
    hook = Webhook(name="Chat", url="https://hooks.example/x", kinds=["conversation.opened"], created_at=at)
    webhooks.give_secret(hook, at=at)
    hook.save()
    customers.create_token(user, "script", at=at)
    made: list[Any] = [
        ImapAccount.objects.create(mailbox=mailbox, host="imap.example", username="a", secret="x"),
        CannedReply.objects.create(name="Hello", shortcut="hello", text="Hello!", owner=user, updated_at=at),
        Macro.objects.create(name="Close", actions=[{"do": "close", "value": None}], owner=user, updated_at=at),
        SavedView.objects.create(name="Urgent", filters={"priority": ["urgent"]}, updated_at=at),
        CustomField.objects.create(key="order", name="Order"),
        BlockedSender.objects.create(handle="spam@bad.example", at=at),
        SuspendedAddress.objects.create(
            address="gone@bad.example", until=datetime.max.replace(year=2100, tzinfo=at.tzinfo), bounced_at=at
        ),
        Rule.objects.create(
            name="Tag it", event="conversation.opened", actions=[{"do": "add_tags", "value": ["ada"]}], updated_at=at
        ),
        NotificationRule.objects.create(user=user, urgency="low", channel="email", to=user.email, delay_seconds=60),
        hook,
        wallboard.make_link("Kitchen", user, at=at)[0],
        component("web77.example", at),
        IncidentTemplate.objects.create(name="Disks", title="Disks gone", status="investigating", body="We look."),
        MaintenanceSeries.objects.create(
            name="Kernel", timezone="Europe/Berlin", begins=at, minutes=60, rule="FREQ=WEEKLY", created_at=at
        ),
        SignalSource.objects.create(name="Prometheus", kind="alertmanager", digest="0" * 64, created_at=at),
        Subscriber.objects.create(
            kind="email", address="reader@acme.example", status="active", asked_at=at, confirmed_at=at, created_at=at
        ),
        Line.objects.create(name="Emergency", number="+4930123456", created_at=at),
    ]
    made += [
        Category.objects.create(slug="backups", names={"en": "Backups"}),
        PlanChange.objects.create(
            organization=Organization.objects.order_by("pk")[0], plan=Plan.objects.order_by("pk")[0],
            due_at=at.replace(year=2099), created_at=at,
        ),
        Topic.objects.create(name="Invoices"),
        Account.objects.create(network="mastodon", name="Us on Mastodon", created_at=at),
        PublicTopic.objects.create(name="Prices", rule="public"),
        Erasure.objects.create(customer=Customer.objects.order_by("pk")[0], asked_at=at, due_at=at),
    ]  # fmt: skip
    keys = (
        "accounts",
        "canned",
        "macros",
        "views",
        "fields",
        "blocked",
        "suspended",
        "rules",
        "notifications",
        "webhooks",
        "wallboards",
        "components",
        "incident_templates",
        "maintenance_series",
        "signals",
        "subscribers",
        "phone",
        "kb",
        "plan_changes",
        "topics",
        "social",
        "public_topics",
        "erasures",
    )
    others: dict[str, Any] = {
        "mailboxes": Mailbox, "teams": Team, "agents": User, "organizations": Organization, "customers": Customer,
        "plans": Plan, "services": Service, "policies": Policy, "calendars": Calendar, "schedules": Schedule,
        "escalations": EscalationPolicy, "tags": Tag, "tokens": ApiToken, "widgets": Widget,
    }  # fmt: skip
    found = {key: row.pk for key, row in zip(keys, made, strict=True)}
    return found | {key: model.objects.order_by("-pk")[0].pk for key, model in others.items()}


_LONG_KEYS = ("plan_changes", "public_topics", "incident_templates", "maintenance_series", "status_page")


def key_of(pattern: URLPattern) -> str:
    name = str(pattern.name).removeprefix("settings_")
    return next((key for key in _LONG_KEYS if name.startswith(key)), name.split("_")[0])


def address(pattern: URLPattern, rows: dict[str, int]) -> str:
    pk = rows.get(key_of(pattern), 1)
    return f"/{pattern.pattern}".replace("<int:pk>", str(pk)).replace("<slug:key>", "company")
