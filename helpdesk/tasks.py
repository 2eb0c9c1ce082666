"""Index of the ground's tasks, for the workers to find."""

from helpdesk.conversations.tasks import wake_snoozed
from helpdesk.events.tasks import drain_outbox
from helpdesk.oncall.tasks import (
    audit_promises,
    deliver_pages,
    escalate_pages,
    plan_shifts,
    reconcile_pagerduty,
    remind_of_rotas,
)
from helpdesk.sla.tasks import renew_holidays, sweep_clocks

__all__ = [
    "audit_promises",
    "deliver_pages",
    "drain_outbox",
    "escalate_pages",
    "plan_shifts",
    "reconcile_pagerduty",
    "remind_of_rotas",
    "renew_holidays",
    "sweep_clocks",
    "wake_snoozed",
]
