"""Index of the ground's tasks, for the workers to find."""

from helpdesk.events.tasks import drain_outbox
from helpdesk.oncall.tasks import audit_promises, deliver_pages, escalate_pages, plan_shifts
from helpdesk.sla.tasks import sweep_clocks

__all__ = ["audit_promises", "deliver_pages", "drain_outbox", "escalate_pages", "plan_shifts", "sweep_clocks"]
