"""Who is affected is told before they write, and right after: form, acknowledgement, widget; and nobody else."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from chat import sessions
from chat.identity import Signed
from chat.models import Widget
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Service
from helpdesk.events import outbox
from status import affecting, incidents
from status.incidents import Opening, Words
from status.models import Component, Incident, IncidentConversation
from tests.fixtures.company import Company
from tests.fixtures.status import component
from tickets.models import Mailbox, MailThread

pytestmark = pytest.mark.django_db
TROUBLES = "/chat/api/incidents"


def _component(name: str, service: str, at: datetime, **more: object) -> Component:
    found = component(name, at, **more)
    found.services.add(Service.objects.get(name=service))
    return found


@pytest.fixture
def web(company: Company, at: datetime) -> Component:
    return _component("Web 1", "c01-web1.demo.example", at)


def _break(part: Component, company: Company, at: datetime, name: str = "Disks gone", **more: Any) -> Incident:
    words = Words("investigating", "We **look** into it.", {part.pk: "major_outage"}, **more)
    return incidents.open_incident(Opening(name, words), company.ada, at=at)


def test_only_those_below_and_in_what_broke_are_affected(web: Component, company: Company, at: datetime) -> None:
    _break(web, company, at)
    assert [one.name for one in affecting.of_customer(company.carol)] == ["Disks gone"]
    assert affecting.of_customer(company.ivy) == []  # on the cluster's other server
    assert affecting.of_customer(company.gil) == []
    cluster = _component("Cluster 1", "c01", at)
    _break(cluster, company, at, name="Network")
    assert {one.name for one in affecting.of_customer(company.carol)} == {"Disks gone", "Network"}
    assert [one.name for one in affecting.of_customer(company.ivy)] == ["Network"]
    assert {web.pk, cluster.pk} <= set(affecting.components_of([Service.objects.get(name="acme.example").pk]))


def test_what_everybody_uses_concerns_them_all(web: Component, company: Company, at: datetime) -> None:
    _break(component("Mail", at), company, at, name="Mail is late")
    _break(component("Cellar", at, is_private=True), company, at, name="Water")
    incidents.open_incident(Opening("Phones", Words("investigating", "No calls.")), company.ada, at=at)
    found = affecting.of_customer(company.carol)
    assert {one.name for one in found} == {"Mail is late", "Phones"}
    assert {one.components for one in found} == {("Mail",), ()}


def test_what_is_mended_concerns_nobody_but_while_it_is_watched(web: Component, company: Company, at: datetime) -> None:
    other = _component("Web 2", "c01-web2.demo.example", at)
    words = Words("investigating", "Both.", {web.pk: "major_outage", other.pk: "major_outage"})
    incident = incidents.open_incident(Opening("Power", words), company.ada, at=at)
    incidents.add_update(incident, Words("identified", "Web 1 is back.", {web.pk: "operational"}), company.ada, at=at)
    assert affecting.of_customer(company.carol) == []
    assert [one.components for one in affecting.of_customer(company.ivy)] == [("Web 2",)]
    incidents.add_update(incident, Words("monitoring", "All back.", {other.pk: "operational"}), company.ada, at=at)
    assert [one.components for one in affecting.of_customer(company.carol)] == [("Web 1",)]


def test_drafts_and_what_is_only_planned_are_nobodys_business(web: Component, company: Company, at: datetime) -> None:
    _break(web, company, at, is_draft=True)
    then = at + timedelta(days=1)
    planned = Words("scheduled", "New disks.", {web.pk: "under_maintenance"})
    incidents.open_incident(
        Opening("Disks", planned, "maintenance", scheduled_for=then, scheduled_until=then + timedelta(hours=1)),
        company.ada,
        at=at,
    )
    assert affecting.public() == []
    assert affecting.of_customer(company.carol) == []


def test_private_trouble_is_said_to_its_customers_alone(company: Company, at: datetime, client: Client) -> None:
    group = component("Acme's", at, is_group=True, is_private=True)
    own = _component("Acme's own", "acme.example", at, is_private=True)
    grouped = _component("Acme's too", "acme.example", at, group=group)
    _break(own, company, at, name="Secret")
    _break(grouped, company, at, name="Secret of a group")
    assert affecting.public() == []
    assert {one.name for one in affecting.of_customer(company.carol)} == {"Secret", "Secret of a group"}
    assert b"Secret" not in client.get("/tickets/new/?service=acme.example").content
    assert client.get(TROUBLES).json() == {"incidents": []}


def test_the_form_says_it_before_anybody_writes(web: Component, company: Company, at: datetime, client: Client) -> None:
    assert b"We know already" not in client.get("/tickets/new/").content
    _break(web, company, at, name="<b>Disks</b> gone")
    page = client.get("/tickets/new/").content.decode()
    assert "&lt;b&gt;Disks&lt;/b&gt; gone" in page
    assert "We look into it." in page
    assert "This concerns you" not in page
    assert "This concerns you" in client.get("/tickets/new/?service=www.acme.example").content.decode()


def test_the_acknowledgement_says_it(web: Component, company: Company, at: datetime) -> None:
    incident = _break(web, company, at)
    while outbox.drain(at):
        pass
    mine = conversations.receive_message(
        Inbound(channel="email", customer=company.carol, at=at, text="Nothing works", subject="Help")
    ).conversation
    theirs = conversations.receive_message(
        Inbound(channel="email", customer=company.gil, at=at, text="Nothing works", subject="Help")
    ).conversation
    for one in (mine, theirs):
        MailThread.objects.create(conversation=one, mailbox=Mailbox.objects.get(is_default=True), may_acknowledge=True)
    while outbox.drain(at):
        pass
    said = mine.messages.get(kind="outbound").text
    assert "We know already that something is wrong with Web 1: “Disks gone” (Investigating). We look into it." in said
    assert f"/incidents/{incident.public_id}/" in said
    assert "We tell you here how it goes on" in said
    assert "We know already" not in theirs.messages.get(kind="outbound").text


def _session(company: Company, at: datetime, signed: Signed | None = None) -> dict[str, str]:
    widget = Widget.objects.get()
    _visit, token = sessions.open_visit(
        widget, signed, at=at, known_as=None, origin="", language="en", timezone="", browser=""
    )
    return {"Authorization": f"Bearer {token}"}


def test_the_widget_says_it_and_tells_when_it_is_over(
    web: Component, company: Company, at: datetime, client: Client
) -> None:
    incident = _break(web, company, at)
    (stranger,) = client.get(TROUBLES).json()["incidents"]
    assert (stranger["name"], stranger["follow"]) == ("Disks gone", None)
    assert stranger["says"] == "Web 1 · Investigating · We look into it."

    bearer = _session(company, now(), Signed("gil-1", "gil@globex.example", "Gil"))
    assert client.get(TROUBLES, headers=bearer).json() == {"incidents": []}, "nothing of Globex is broken"

    bearer = _session(company, now(), Signed("carol-1", "carol@acme.example", "Carol"))
    (found,) = client.get(TROUBLES, headers=bearer).json()["incidents"]
    assert client.post(found["follow"], headers=bearer).status_code == 204
    assert client.post(found["follow"], headers=bearer).status_code == 204
    link = IncidentConversation.objects.select_related("conversation").get()
    assert (link.how, link.conversation.status, link.conversation.channel) == ("asked", "on_hold", "chat")
    assert client.get(TROUBLES, headers=bearer).json()["incidents"][0]["follow"] is None

    incidents.add_update(
        incident, Words("resolved", "New disks. " * 300, short_text="New disks."), company.ada, at=now()
    )
    while outbox.drain(now()):
        pass
    told = link.conversation.messages.get(kind="outbound", text__contains="New disks.")
    assert len(told.text) <= 1000
    assert told.text.endswith(f"/incidents/{incident.public_id}/")
    link.conversation.refresh_from_db()
    assert link.conversation.status == "resolved"


def test_nobody_follows_without_a_session_or_what_is_not_theirs(
    web: Component, company: Company, at: datetime, client: Client
) -> None:
    incident = _break(web, company, at)
    assert client.post(f"{TROUBLES}/{incident.public_id}/follow").status_code == 401
    bearer = _session(company, now(), Signed("gil-1", "gil@globex.example", "Gil"))
    assert client.post(f"{TROUBLES}/{incident.public_id}/follow", headers=bearer).status_code == 404
    assert client.post(f"{TROUBLES}/{uuid4().hex[:12]}/follow", headers=bearer).status_code == 404
    assert not Conversation.objects.exists()
