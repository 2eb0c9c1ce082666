"""What belongs to a private team is not there for other agents: every address below a conversation, and every list."""

import re
from datetime import datetime, timedelta

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Attachment, Conversation
from helpdesk.customers.models import Customer, Team, User
from helpdesk.oncall import paging
from status.models import Incident, IncidentConversation
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.models import ChecklistItem, Draft, InboundEmail, TimeEntry

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "put", "patch", "delete")


def _below_a_conversation() -> list[str]:
    """Every address of the API with a conversation in it, as it would be called for `{id}`."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> list[str]:
        found: list[str] = []
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                found += walk(pattern.url_patterns, route)
            elif "conversation_id" in route and route.startswith("api/"):
                route = re.sub(r"(incident|maintenance)s/<slug:public_id>", r"\1s/{\1}", route)
                found.append("/" + re.sub(r"<id:(\w+)>", r"{\1}", route).replace("<slug:target>", "dispatch"))
        return found

    return walk(get_resolver().url_patterns, "")


@pytest.fixture
def secret(company: Company, at: datetime) -> Conversation:
    team = Team.objects.get(name="Hosting")
    Team.objects.filter(pk=team.pk).update(is_private=True)
    team.members.set([company.linus])
    files = (File("plan.txt", "text/plain", b"secret"),)
    return write(company.carol, at, text="merger", team_id=team.pk, files=files)


def test_every_address_is_found() -> None:
    assert len(_below_a_conversation()) >= 20


def _linked(secret: Conversation, at: datetime, *, begins: datetime | None = None) -> str:
    """The id of an incident, or of a maintenance, that the conversation is linked to."""
    is_maintenance = begins is not None
    incident = Incident.objects.create(
        kind="maintenance" if is_maintenance else "incident",
        name="Trouble",
        status="scheduled" if is_maintenance else "investigating",
        started_at=at,
        scheduled_for=begins,
        scheduled_until=begins and begins + timedelta(hours=1),
        created_at=at,
        updated_at=at,
    )
    given = {"incident": incident, "how": "hand", "linked_at": at}
    IncidentConversation.objects.update_or_create(conversation=secret, defaults=given)
    return incident.public_id


def _parts(secret: Conversation, at: datetime, member: User, address: str) -> dict[str, int | str]:
    """An id of everything there is below a conversation, made anew."""
    customer = Customer.objects.get(email="uma@umbrella.example")
    secret.followers.add(customer)
    entry = TimeEntry.objects.create(conversation=secret, user=member, minutes=1, at=at)
    for user in User.objects.filter(is_active=True):
        Draft.objects.update_or_create(conversation=secret, user=user, defaults={"text": "x", "updated_at": at})
    return {
        "conversation_id": secret.pk,
        "message_id": secret.messages.earliest("pk").pk,
        "customer_id": customer.pk,
        "item_id": ChecklistItem.objects.create(conversation=secret, text="x").pk,
        "entry_id": entry.pk,
        **({"incident": _linked(secret, at)} if "{incident}" in address else {}),
        **({"maintenance": _linked(secret, at, begins=at)} if "{maintenance}" in address else {}),
    }


@pytest.mark.parametrize("address", ["/api/v1/conversations/{conversation_id}/", *_below_a_conversation()])
def test_strangers_to_the_team_find_nothing(
    grace: Caller, ada: Caller, company: Company, secret: Conversation, at: datetime, address: str
) -> None:
    member = Caller(company.linus)
    for method in METHODS:
        answers, path = {}, ""
        for caller, user in ((grace, company.grace), (ada, company.ada), (member, company.linus)):
            path = address.format(**_parts(secret, at, user, address))
            answers[caller] = caller(method, path, {}).status_code
        # 405 says nothing about this conversation, only about the method.
        assert answers[grace] in (404, 405), (method, path)
        assert answers[ada] != 404 or method == "delete", (method, path)
        assert answers[member] != 404 or method == "delete", (method, path)


def test_lists_leave_it_out(ada: Caller, secret: Conversation, at: datetime) -> None:
    # Not Grace: she is on call, and sees what she is called for.
    stranger = Caller(User.objects.create_user("noor@demo.example", name="Noor"))
    called = paging.Reason("dispatch", "Late", at)
    paging.trigger("x", called, urgency="low", summary="Late", at=at, conversation_id=secret.pk)
    InboundEmail.objects.create(
        source="smtp",
        transport_key="x",
        received_at=at,
        raw=b"x",
        sha256="0" * 64,
        size=1,
        state="filed",
        settled_at=at,
        conversation=secret,
    )
    attachment = Attachment.objects.get()

    for path in ("/conversations/", "/pages/", "/inbound-emails/"):
        assert len(ada("get", path).json()["results"]) == 1, path
        assert stranger("get", path).json()["results"] == [], path
    assert ada("get", f"/attachments/{attachment.pk}/content/").status_code == 200
    assert stranger("get", f"/attachments/{attachment.pk}/content/").status_code == 404


def test_nobody_merges_into_or_links_to_what_they_do_not_see(
    grace: Caller, company: Company, secret: Conversation, at: datetime
) -> None:
    own = write(company.carol, at)
    conversations.relate(own.pk, "related", secret.pk, company.ada, at=at)

    assert grace("post", f"/conversations/{own.pk}/merge/", {"into": secret.pk}).status_code == 400
    linked = grace("post", f"/conversations/{own.pk}/links/", {"relation": "related", "id": secret.pk})
    assert linked.status_code == 400
    assert grace("get", f"/conversations/{own.pk}/links/").json() == []
