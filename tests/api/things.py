"""One of everything that other rooms have, for what asks each address of the API."""

from datetime import datetime, timedelta

from helpdesk.conversations.models import Conversation
from social.models import Account, Announcement, Arrival, Post
from status import incidents
from status.incidents import Opening, Words
from status.models import Component
from tests.fixtures.subscribers import subscriber


def on_the_status_page(at: datetime) -> dict[str, str]:
    """Public ids of an incident, a maintenance, what was said of them, and of components that nothing names."""
    said = Words("investigating", "x")
    incident = incidents.open_incident(Opening("x", said), None, at=at)
    window = {"scheduled_for": at + timedelta(days=1), "scheduled_until": at + timedelta(days=2)}
    planned = Opening("x", Words("scheduled", "x"), kind="maintenance", **window)  # type: ignore[arg-type]
    maintenance = incidents.open_incident(planned, None, at=at)
    group = Component.objects.create(name="x", is_group=True, started_on=at, created_at=at, updated_at=at)
    return {
        "incident": incident.public_id,
        "said": incident.updates.get().public_id,
        "maintenance": maintenance.public_id,
        "planned": maintenance.updates.get().public_id,
        "component": Component.objects.filter(name="Mail").get().public_id,
        "componentgroup": group.public_id,
        "subscriber": str(subscriber("ops@x.example", at).pk),
    }


def on_the_networks(conversation: Conversation, at: datetime) -> dict[str, int]:
    account = Account.objects.create(network="feed", name="x", created_at=at)
    common = {"account": account, "at": at, "kind": "post", "is_public": True}
    arrival = {"account": account, "key": "x", "happened_at": at, "received_at": at, "body": {}}
    return {
        "account": account.pk,
        "post": Post.objects.create(external_id="x", message=conversation.messages.get(), **common).pk,
        "announcement": Announcement.objects.create(kind="news", text="x", at=at).pk,
        "arrival": Arrival.objects.create(state="quarantined", **arrival).pk,
    }
