"""Whether everything runs, for the admin's eyes: the engine's parts, what waits, what is late, what fails."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.events.models import Heartbeat, OutboxEntry, Webhook
from helpdesk.oncall import audit
from helpdesk.oncall.models import Page, PageDelivery
from tickets.models import ImapAccount, InboundEmail

AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it counts; `tone` is "ok", "warn" or "bad". `address` is the name of a page about it."""

    name: str
    value: str
    tone: str
    address: str = ""


def picture(at: datetime) -> dict[str, Any]:
    """The findings of the audit by name, the parts with their last sign of life, and figures of what waits."""
    findings = audit.findings(at)
    parts = [
        {"name": beat.name.replace("_", " "), "at": beat.at, "is_late": beat.at < at - audit.HEARTBEAT_LATE}
        for beat in Heartbeat.objects.filter(name__in=(audit.KEEPER, *audit.WORKERS)).order_by("name")
    ]
    return {"findings": sorted(findings.items()), "parts": parts, "figures": figures(at), "at": at}


def figures(at: datetime) -> list[Figure]:
    """Counted up to AT_MOST each."""
    mails = InboundEmail.objects
    accepted = _count(mails.filter(state=InboundEmail.State.ACCEPTED))
    quarantined = _count(mails.filter(state=InboundEmail.State.QUARANTINED))
    waiting = OutboxEntry.objects.filter(done_at=None, gave_up_at=None)
    outbox, given_up = _count(waiting), _count(OutboxEntry.objects.filter(gave_up_at__isnull=False))
    open_pages = _count(Page.objects.filter(state=Page.State.TRIGGERED))
    calls = _count(PageDelivery.objects.filter(state=PageDelivery.State.PENDING, due_at__lte=at))
    unfetched = _count(ImapAccount.objects.filter(is_active=True).exclude(error=""))
    failing = _count(Webhook.objects.exclude(trouble=""))
    return [
        Figure(_("mails to be filed"), _said(accepted), "ok" if accepted < 100 else "warn", "tickets:ledger"),
        Figure(_("mails in quarantine"), _said(quarantined), "bad" if quarantined else "ok", "tickets:ledger"),
        Figure(_("things to follow up"), _said(outbox), "ok" if outbox < 200 else "warn"),
        Figure(_("given up"), _said(given_up), "bad" if given_up else "ok"),
        Figure(_("pages nobody has taken"), _said(open_pages), "bad" if open_pages else "ok", "tickets:pages"),
        Figure(_("calls about to leave"), _said(calls), "ok" if calls < 20 else "warn"),
        Figure(
            _("accounts that cannot be fetched"),
            _said(unfetched),
            "bad" if unfetched else "ok",
            "tickets:settings_mailboxes",
        ),
        Figure(_("webhooks that fail"), _said(failing), "warn" if failing else "ok", "tickets:settings_webhooks"),
    ]


def _count(rows: Any) -> int:
    return int(rows[: AT_MOST + 1].count())


def _said(count: int) -> str:
    return f"{AT_MOST}+" if count > AT_MOST else str(count)
