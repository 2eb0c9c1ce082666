"""What a page says: its reasons, the conversation's facts and the links, put into a Notice for the pagers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from django.conf import settings
from django.core import signing
from django.urls import reverse

from helpdesk.customers.models import User
from helpdesk.events.safe_text import one_line
from helpdesk.oncall import page_words, wall_clock
from helpdesk.oncall.calls import SHARED
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.oncall.page_words import say
from helpdesk.oncall.pagers import Notice

LATE_AFTER = timedelta(minutes=1)
ACCOUNTED_FOR = timedelta(hours=24)
SALT = "page-acknowledgement"
DIGEST_LINES = 50


def notice(delivery: PageDelivery, at: datetime, provider_ref: str = "") -> Notice:
    """One page for one recipient."""
    page = delivery.page
    late = at - delivery.promised_at
    return Notice(
        page_id=page.pk,
        dedup_key=page.dedup_key,
        action=delivery.action,  # type: ignore[arg-type]
        urgency=page.urgency,  # type: ignore[arg-type]
        summary=page.summary,
        reasons=page.words,
        details=_details(page, _language(delivery), _zone(delivery)),
        url=page_url(page),
        # Shared channels have buttons of their own, and signing a link for nobody takes its time.
        acknowledge_url="" if delivery.channel in SHARED else acknowledge_url(page, delivery.user_id),
        occurred_at=page.triggered_at.astimezone(_zone(delivery)),
        late_by=late if late > LATE_AFTER and delivery.action == PageDelivery.Action.TRIGGER else None,
        to=delivery.to,
        recipient_name=delivery.user.name if delivery.user else "",
        provider_ref=provider_ref,
        tried_since=_tried_since(delivery, at),
        attempt=delivery.attempts,
        round=delivery.round + 1,
        language=_language(delivery),
        acknowledged_by=_acknowledged_by(delivery),
    )


def _acknowledged_by(delivery: PageDelivery) -> str:
    """Nobody's while it rings, also where an earlier acknowledgement has lapsed."""
    page = delivery.page
    if delivery.action == PageDelivery.Action.TRIGGER:
        return ""
    return page.acknowledged_by.name if page.acknowledged_by else page.acknowledged_via


def _tried_since(delivery: PageDelivery, at: datetime) -> datetime | None:
    """When an earlier attempt can have been made. What is older than ACCOUNTED_FOR is told again in any case."""
    return max(delivery.page.triggered_at, at - ACCOUNTED_FOR) if delivery.attempts > 1 else None


def digest(burst: Sequence[PageDelivery], at: datetime) -> Notice:
    """Many pages for one person at once: one message that names them all."""
    first = burst[0]
    urgent = sum(1 for delivery in burst if delivery.page.urgency == "high")
    late = max(at - delivery.promised_at for delivery in burst)
    return Notice(
        page_id=first.page_id,
        dedup_key=f"digest:{first.page_id}:{len(burst)}",
        is_digest=True,
        action="trigger",
        urgency="high" if urgent else "low",
        summary=say(_language(first), page_words.MANY, count=len(burst), urgent=urgent),
        reasons=_lines(burst),
        details={},
        url=settings.PUBLIC_URL + reverse("tickets:pages"),
        occurred_at=min(delivery.page.triggered_at for delivery in burst).astimezone(_zone(first)),
        late_by=late if late > LATE_AFTER else None,
        to=first.to,
        recipient_name=first.user.name if first.user else "",
        attempt=first.attempts,
        round=first.round + 1,
        language=_language(first),
    )


def _language(delivery: PageDelivery) -> str:
    """The recipient's own; a channel that several read speaks English."""
    if delivery.user is None or delivery.channel in SHARED:
        return page_words.FALLBACK
    return page_words.known(delivery.user.language)


def _zone(delivery: PageDelivery) -> tzinfo:
    """The recipient's own; UTC where several people read it."""
    return UTC if delivery.user is None or delivery.channel in SHARED else zone_of(delivery.user)


def zone_of(user: User) -> tzinfo:
    """Where the person is; UTC where their profile names no zone that we know, since a page leaves in any case."""
    try:
        return wall_clock.zone(user.timezone)
    except ValueError:
        return UTC


def _lines(burst: Sequence[PageDelivery]) -> tuple[str, ...]:
    # The urgent ones first, each group in the order it was promised.
    ordered = sorted(burst, key=lambda delivery: delivery.page.urgency != "high")
    lines = [_line(delivery) for delivery in ordered[:DIGEST_LINES]]
    if len(burst) > DIGEST_LINES:
        more = say(_language(burst[0]), page_words.MORE, count=len(burst) - DIGEST_LINES)
        lines.append(f"{more} — {settings.PUBLIC_URL}{reverse('tickets:pages')}")
    return tuple(lines)


def _line(delivery: PageDelivery) -> str:
    # Short enough that no pager cuts the link off.
    return f"{one_line(delivery.page.summary, 160)} — {page_url(delivery.page)}"


def _details(page: Page, language: str, zone: tzinfo) -> dict[str, str]:
    conversation = page.conversation
    if conversation is None:
        return {}
    organization = conversation.organization
    return {
        "number": f"#{conversation.pk}",
        "customer": str(conversation.customer),
        "organization": organization.name if organization else "",
        "plan": organization.plan.name if organization else "",
        "priority": page_words.named(language, conversation.priority),
        "service": ", ".join(service.name for service in conversation.services.all()),
        "due": f"{due.astimezone(zone):%Y-%m-%d %H:%M %Z}" if (due := conversation.next_due_at) else "",
    }


def page_url(page: Page) -> str:
    if page.conversation_id is None:
        return f"{settings.PUBLIC_URL}{reverse('tickets:pages')}"
    return f"{settings.PUBLIC_URL}{reverse('tickets:conversation', args=[page.conversation_id])}"


def acknowledge_url(page: Page, user_id: int | None) -> str:
    """A link that shows the page; only a POST from there acknowledges, so that a link scanner cannot."""
    token = signing.dumps({"page": page.pk, "user": user_id}, salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('acknowledge_page', args=[token])}"
