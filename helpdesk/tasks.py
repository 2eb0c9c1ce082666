"""Index of the ground's tasks, for the workers to find."""

from helpdesk.conversations.tasks import wake_snoozed
from helpdesk.customers.tasks import change_plans, forget_customer_sessions
from helpdesk.events.tasks import deliver_webhooks, drain_outbox, forget_webhook_deliveries
from helpdesk.oncall.tasks import (
    audit_promises,
    deliver_pages,
    escalate_pages,
    plan_shifts,
    reconcile_pagerduty,
    remind_of_rotas,
)
from helpdesk.people.tasks import forget_sessions
from helpdesk.ratings.tasks import ask_for_ratings
from helpdesk.sla.tasks import renew_holidays, sweep_clocks

__all__ = [
    "ask_for_ratings",
    "audit_promises",
    "change_plans",
    "deliver_pages",
    "deliver_webhooks",
    "drain_outbox",
    "escalate_pages",
    "forget_customer_sessions",
    "forget_sessions",
    "forget_webhook_deliveries",
    "plan_shifts",
    "reconcile_pagerduty",
    "remind_of_rotas",
    "renew_holidays",
    "sweep_clocks",
    "wake_snoozed",
]
