"""The same for what the other rooms take: status page, help centre, networks, quotes, chat."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from chat.models import Widget
from helpdesk.conversations.models import Conversation
from helpdesk.ratings import giving
from knowledge import articles
from knowledge.articles import Text
from social.models import Account, AnnouncementPost
from tests.api import things
from tests.api.conftest import Caller
from tests.api.spoiling import send_spoiled
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

ARTICLE = {
    "title": "Backups",
    "body": "# Where they are",
    "language": "en",
    "summary": "x",
    "keywords": "restore",
    "slug": "backups",
    "version": 1,
    "visibility": "public",
    "category": None,
    "organizations": [],
    "plans": ["Standard"],
    "position": 1,
    "takes_comments": True,
}
COMPONENT = {
    "name": "DNS",
    "description": "x",
    "own_status": "operational",
    "group": None,
    "position": 1,
    "shows_uptime": True,
    "only_if_degraded": False,
    "is_private": False,
    "started_on": "2026-01-01",
    "services": ["c01"],
}
GROUP = {"name": "Mail and DNS", "description": "x", "position": 1, "is_private": False}
SAID = {
    "status": "investigating",
    "body": "We look at it.",
    "components": {"{component}": "degraded_performance"},
    "tells": False,
    "short_text": "",
    "is_draft": True,
    "publish_at": None,
    "display_at": "2026-01-12T08:00:00Z",
}
WINDOW = {"scheduled_for": "{tomorrow}", "scheduled_until": "{later}"}
QUOTE = {
    "conversation": "{conversation}",
    "client_id": "6f1c7e0a-93a5-4f0e-8a35-000000000001",
    "title": "Move to a new server",
    "words": "x",
    "currency": "EUR",
    "language": "de",
    "tax_name": "VAT",
    "terms": "x",
    "valid_until": "{day}",
    "deliver_by": None,
    "remind_days": 3,
    "offers_upgrade": False,
    "lines": [{"text": "Work", "quantity": "1.5", "unit_price": "90.00", "tax_rate": "19"}],
}
WIDGET = {
    "name": "Site",
    "origins": ["https://acme.example"],
    "team": None,
    "color": "#336699",
    "greeting": "Hello",
    "asks_name": True,
    "asks_email": True,
    "needs_email": False,
    "only_verified": False,
    "when_closed": "message",
    "sees_pages": True,
    "is_active": True,
}
SUBSCRIBER = {
    "kind": "email",
    "address": "ops@acme.example",
    "components": ["{component}"],
    "only_own": False,
    "language": "en",
    "confirmed": False,
}
WRITABLE: list[tuple[str, str, Any]] = [
    ("post", "/articles/", ARTICLE),
    ("patch", "/articles/{article}/", ARTICLE),
    ("post", "/components/", COMPONENT),
    ("patch", "/components/{component}/", COMPONENT),
    ("post", "/component-groups/", GROUP),
    ("patch", "/component-groups/{componentgroup}/", GROUP),
    ("post", "/incidents/", {**SAID, "name": "Slow", "impact": "minor", "started_at": None, "is_backfilled": False}),
    ("patch", "/incidents/{incident}/", {"name": "Slow", "impact": None, "started_at": "2026-01-12T07:00:00Z"}),
    ("post", "/incidents/{incident}/updates/", SAID),
    ("patch", "/incidents/{incident}/updates/{said}/", {"body": "x", "display_at": "2026-01-12T07:30:00Z"}),
    ("post", "/incidents/{incident}/conversations/", {"conversations": ["{conversation}"], "tells": False}),
    ("post", "/maintenances/", {**SAID, **WINDOW, "status": "scheduled", "name": "Disks", "remind_minutes": 60}),
    ("post", "/maintenances/{maintenance}/schedule/", {**WINDOW, "body": "x", "tells": False}),
    ("post", "/maintenances/{maintenance}/updates/", {**SAID, "status": "in_progress"}),
    ("post", "/subscribers/", SUBSCRIBER),
    ("patch", "/subscribers/{subscriber}/", {"components": ["{component}"], "only_own": False, "language": "de"}),
    ("post", "/subscribers/import/", {"csv": "email\na@b.example\n", "consent": "form of 2026"}),
    ("post", "/posts/", {"account": "{account}", "url": "https://x.example/1", "handle": "uma", "name": "Uma",
                         "text": "Down?", "at": "2026-01-12T07:00:00Z", "is_public": True}),
    ("post", "/announcements/", {"text": "News", "link": "", "accounts": ["{network}"], "texts": {"{network}": "x"}}),
    ("post", "/announcements/{announcement}/submission/", {"publish_at": "2026-02-01T08:00:00Z"}),
    ("post", "/announcements/{announcement}/posted/", {"post": "{announced}", "url": "https://x.example/1"}),
    ("post", "/announcements/{announcement}/retry/", {"post": "{announced}"}),
    ("post", "/quotes/", QUOTE),
    ("patch", "/ratings/{conversation}/", {"looked": True, "is_shown": False}),
    ("post", "/widgets/", WIDGET),
    ("patch", "/widgets/{widget}/", WIDGET),
    ("post", "/widgets/{widget}/secrets/", {"kid": "two"}),
    ("patch", "/chat-agents/{agent}/", {"state": "available", "capacity": 2, "skills": ["mail"], "is_shown": True,
                                        "public_name": "Ada", "enter_sends": True}),
    ("post", "/customers/{customer}/chat-grants/", {"until": "{tomorrow}"}),
    ("post", "/calls/", {"conversation": "{conversation}"}),
]  # fmt: skip


@pytest.fixture
def there(company: Company, conversation: Conversation, at: Any) -> dict[str, int | str]:
    conversation.status, conversation.resolved_at = "resolved", at
    conversation.save(update_fields=["status", "resolved_at"])
    giving.give(conversation.pk, 1, "Slow", via="api", at=at + timedelta(minutes=1))
    tomorrow = timezone.now() + timedelta(days=1)
    networks = things.on_the_networks(conversation, at)
    network = Account.objects.create(network="mastodon", name="x", created_at=at)
    said = AnnouncementPost.objects.create(
        announcement_id=networks["announcement"], account=network, text="x", client_id=uuid4()
    )
    return {
        **things.on_the_status_page(at),
        **networks,
        "network": network.pk,
        "announced": said.pk,
        "tomorrow": tomorrow.isoformat(),
        "later": (tomorrow + timedelta(hours=1)).isoformat(),
        "day": f"{tomorrow:%Y-%m-%d}",
        "article": articles.create(Text("Where", "x"), author=company.ada, at=at).pk,
        "conversation": conversation.pk,
        "customer": conversation.customer_id,
        "widget": Widget.objects.earliest("pk").pk,
        "agent": company.linus.pk,
    }


def test_bodies(ada: Caller, there: dict[str, int | str]) -> None:
    send_spoiled(ada, WRITABLE, there)
