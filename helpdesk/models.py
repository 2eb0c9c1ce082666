"""Index of the ground's models: one app label, one migration history."""

from helpdesk.conversations.models import Attachment, Conversation, ConversationLink, CustomField, Message, Tag
from helpdesk.customers.company import Company
from helpdesk.customers.models import ApiToken, AuditEntry, Customer, Identity, Organization, Plan, Service, Team, User
from helpdesk.events.models import Event, Heartbeat, Hook, OutboxEntry, Webhook, WebhookDelivery
from helpdesk.oncall.models import (
    EscalationPolicy,
    EscalationStep,
    Layer,
    LayerMember,
    NotificationRule,
    Override,
    Page,
    PageDelivery,
    Schedule,
    Shift,
)
from helpdesk.sla.models import Calendar, CalendarVersion, Clock, Goal, Holiday, HolidayFeed, Policy

__all__ = [
    "ApiToken",
    "Attachment",
    "AuditEntry",
    "Calendar",
    "CalendarVersion",
    "Clock",
    "Company",
    "Conversation",
    "ConversationLink",
    "CustomField",
    "Customer",
    "EscalationPolicy",
    "EscalationStep",
    "Event",
    "Goal",
    "Heartbeat",
    "Holiday",
    "HolidayFeed",
    "Hook",
    "Identity",
    "Layer",
    "LayerMember",
    "Message",
    "NotificationRule",
    "Organization",
    "OutboxEntry",
    "Override",
    "Page",
    "PageDelivery",
    "Plan",
    "Policy",
    "Schedule",
    "Service",
    "Shift",
    "Tag",
    "Team",
    "User",
    "Webhook",
    "WebhookDelivery",
]
