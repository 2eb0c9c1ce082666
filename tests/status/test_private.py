"""What is private to a company: nobody else hears of it, whatever they ask for, name or write."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, Service
from helpdesk.events import outbox
from status import incidents, maintenances, sections, snapshot
from status.incidents import Opening, Words
from status.models import Component, ConversationNotice, Incident
from tests.fixtures.company import Company
from tests.fixtures.customers import sign_in
from tests.fixtures.smtp_sink import SmtpSink
from tests.fixtures.status import component
from tests.fixtures.subscribers import subscriber, tell
from tickets.models import Mailbox, MailThread

pytestmark = pytest.mark.django_db
DOCUMENTS = ("summary", "status", "components", "incidents", "incidents/unresolved", *(
    f"scheduled-maintenances{which}" for which in ("", "/upcoming", "/active")
))  # fmt: skip


@pytest.fixture
def secrets(company: Company, at: datetime) -> list[Component]:
    """Two of Acme's own: one that is private, one that lies in a private group."""
    group = component("SECRET group", at, is_group=True, is_private=True)
    made = [component("SECRET box", at, is_private=True), component("SECRET rack", at, group=group)]
    for one in made:
        one.services.set(Service.objects.filter(name="acme.example"))
    return made


def _break(secret: Component, company: Company, at: datetime) -> Incident:
    words = Words("investigating", "SECRET words.", {secret.pk: "major_outage"})
    return incidents.open_incident(Opening("SECRET trouble", words), company.ada, at=at)


def _plan(secret: Component, company: Company, at: datetime) -> None:
    words = Words("scheduled", "SECRET window.", {secret.pk: "under_maintenance"})
    begins = at + timedelta(days=1)
    maintenances.schedule(
        Opening(
            "SECRET work", words, kind="maintenance", scheduled_for=begins, scheduled_until=begins + timedelta(hours=1)
        ),
        company.ada,
        at=at,
    )


def _write(customer: Customer, at: datetime, **more: object) -> Conversation:
    given = {"channel": "email", "subject": "Down", "text": "acme.example is down"} | more
    made = conversations.receive_message(Inbound(customer=customer, at=at, **given)).conversation  # type: ignore[arg-type]
    if made.channel == "email":
        box = Mailbox.objects.get(is_default=True)
        MailThread.objects.create(conversation=made, mailbox=box, may_acknowledge=True)
    return made


def _drain(at: datetime) -> None:
    while outbox.drain(at):
        pass


def _said(conversation: Conversation) -> str:
    return " ".join(conversation.messages.filter(kind="outbound").values_list("text", flat=True))


def test_it_stands_nowhere_in_public(secrets: list[Component], company: Company, at: datetime, client: Client) -> None:
    for secret in secrets:
        incident = _break(secret, company, at)
        _plan(secret, company, at)
        assert client.get(f"/status/incidents/{incident.public_id}/").status_code == 404
    _drain(at)
    pages = ["", "de/", "history/", "maintenance/", "banner/", "subscribe/", "history.atom", "history.rss", "badge.svg"]
    pages += ["maintenance.ics", *(f"api/v2/{name}.json" for name in DOCUMENTS)]
    others = ["/tickets/new/", "/tickets/new/?service=acme.example", "/chat/api/incidents", "/kb/", "/"]
    for path in [*(f"/status/{page}" for page in pages), *others]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "SECRET" not in answer.text, path
    shown = snapshot.take(at)
    assert sections.headline(shown)["tone"] == "ok"


def test_who_names_what_is_somebody_elses_is_told_nothing(
    secrets: list[Component], company: Company, at: datetime
) -> None:
    for secret in secrets:
        incident = _break(secret, company, at)
        _drain(at)
        stranger, mine = _write(company.gil, at), _write(company.carol, at)
        _drain(at)
        assert "SECRET words." in _said(mine)
        assert _said(stranger) and "SECRET" not in _said(stranger)

        at += timedelta(minutes=10)
        incidents.add_update(incident, Words("resolved", "SECRET disks."), company.ada, at=at)
        _drain(at)
        for one in (stranger, mine):
            one.refresh_from_db()
        assert "SECRET disks." in _said(mine) and mine.status == "resolved"
        assert "SECRET" not in _said(stranger) and stranger.status == "new", "an agent looks at it"
        refused = ConversationNotice.objects.filter(link__conversation=stranger, message=None)
        assert {one.error for one in refused} == {"it is private, and this is not one of its customers"}


def test_where_others_read_along_nothing_private_is_said(
    secrets: list[Component], company: Company, at: datetime
) -> None:
    _break(secrets[0], company, at)
    public = _write(company.carol, at, channel="mastodon", owner="mastodon", thread="1")
    _drain(at)
    assert "SECRET" not in _said(public)


def test_what_is_public_as_well_is_told_to_everybody(secrets: list[Component], company: Company, at: datetime) -> None:
    web = component("Web 1", at)
    web.services.set(Service.objects.filter(name="acme.example"))
    words = Words("investigating", "We look.", {web.pk: "major_outage", secrets[0].pk: "major_outage"})
    incidents.open_incident(Opening("Disks gone", words), company.ada, at=at)
    _drain(at)
    stranger = _write(company.gil, at)
    _drain(at)
    assert "Web 1" in _said(stranger) and "Disks gone" in _said(stranger)
    assert "SECRET" not in _said(stranger)


def test_its_customers_see_it_on_every_page_once_they_have_signed_in(
    secrets: list[Component], company: Company, at: datetime, client: Client
) -> None:
    incident = _break(secrets[1], company, at)
    _plan(secrets[0], company, at)
    own = f"/status/incidents/{incident.public_id}/"

    asked = client.get(own)
    assert asked.status_code == 404 and f"/portal/?next={quote(own, safe='')}" in asked.text
    assert asked.headers["Cache-Control"] == "private, no-store"
    sign_in(client, company.gil)
    assert "SECRET" not in client.get(own).text
    assert "/portal/" not in client.get(own).text, "who is signed in is not sent there again"

    sign_in(client, company.carol)
    front = client.get("/status/").text
    assert front.index("SECRET trouble") < front.index("SECRET work"), "what is wrong now comes first"
    month = f"history/{at:%Y-%m}/"
    for path, said in (("", "SECRET rack"), (month, "SECRET trouble"), ("maintenance/", "SECRET work")):
        answer = client.get(f"/status/{path}")
        assert said in answer.text and answer.headers["Cache-Control"] == "private, no-store", path
    for path in (own, own.replace("/status/", "/status/de/")):
        answer = client.get(path)
        assert answer.status_code == 200 and "SECRET rack" in answer.text and "SECRET words." in answer.text
    for update in range(120):
        incidents.add_update(incident, Words("identified", f"SECRET {update}."), company.ada, at=at)
    assert "SECRET words." in client.get(own).text, "older ones than fit are read for it alone"
    assert "SECRET" not in client.get("/status/banner/").text, "it stands on pages of others"


def test_where_the_page_is_served_elsewhere_its_customers_are_led_to_us(
    secrets: list[Component], company: Company, at: datetime, smtp_sink: SmtpSink, settings: Settings
) -> None:
    settings.STATUS_URL = "https://status.example.net"
    subscriber("carol@acme.example", at, customer=company.carol)
    private = _break(secrets[1], company, at)
    public = incidents.open_incident(Opening("Mail is late", Words("investigating", "We look.")), company.ada, at=at)
    _drain(at)
    mine = _write(company.carol, at)
    _drain(at)
    tell(at)
    mails = {taken.mail["Subject"]: taken.raw.decode() for taken in smtp_sink.taken}
    ours = f"{settings.PUBLIC_URL}/status/incidents/{private.public_id}/"
    assert ours in _said(mine) and ours in mails["Investigating: SECRET trouble"]
    assert f"https://status.example.net/incidents/{public.public_id}/" in mails["Investigating: Mail is late"]
