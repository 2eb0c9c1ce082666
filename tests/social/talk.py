"""Helpers of the social room's tests: an account, and what somebody says to it."""

from datetime import datetime
from typing import Any

from helpdesk.conversations.models import Conversation
from social import filing, polling, saying
from social.happenings import Author, Said
from social.models import Account, Arrival, Thread


def account_on(network: str, at: datetime, **fields: Any) -> Account:
    """A brand account, connected as far as we know."""
    given: dict[str, Any] = {
        "name": f"Demo on {network}",
        "handle": "@demo",
        "external_id": f"us-{network}",
        "state": Account.State.CONNECTED,
        "created_at": at,
    }
    return Account.objects.create(network=network, **given | fields)


def said_to(account: Account, text: str, at: datetime, *, who: str = "maria", **fields: Any) -> Conversation:
    """Somebody writes in public, unless `is_public` says otherwise."""
    author = Author(id=f"id-{who}", handle=f"@{who}", name=who.capitalize(), may_dm=fields.pop("may_dm", None))
    is_public = bool(fields.pop("is_public", True))
    given: dict[str, Any] = {
        "id": f"{who}-{is_public}-{at.timestamp()}",
        "kind": "post" if is_public else "direct",
        "thread": f"{who}:{is_public}",
        "url": f"https://network.example/{who}/{int(at.timestamp())}",
        "names_us": True,
    }
    said = Said(at=at, author=author, text=text, is_public=is_public, **given | fields)
    saying.file(account, said, Arrival(account=account, key=said.key), at=at)
    return Thread.objects.get(account=account, person__handle=author.handle, is_public=is_public).conversation


def poll_all(at: datetime) -> None:
    """Every account is due: what one reading brings is filed."""
    Account.objects.update(poll_at=at)
    polling.poll_due(at=at, most=1)
    filing.file_arrivals(at)
