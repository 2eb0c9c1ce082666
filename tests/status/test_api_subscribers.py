"""`/api/v1/subscribers/` and what agents see of a distribution."""

from datetime import datetime

import pytest
from django.test import Client

from status import incidents
from status.incidents import Opening, Words
from status.models import Distribution, Subscriber
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tests.fixtures.status import component
from tests.fixtures.subscribers import subscriber, tell

pytestmark = pytest.mark.django_db


def test_from_adding_to_removing(company: Company, at: datetime) -> None:
    ada, grace = Caller(company.ada), Caller(company.grace)
    web = component("web14", at)

    assert grace("post", "/subscribers/", {"kind": "email", "address": "ops@x.example"}).status_code == 403
    made = ada("post", "/subscribers/", {"kind": "email", "address": "Ops@X.example", "components": [web.public_id]})
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["status"], shown["address"], shown["components"]) == ("pending", "Ops@x.example", [web.public_id])
    assert shown["secret"] is None

    sure = ada("post", "/subscribers/", {"kind": "email", "address": "ops@x.example", "confirmed": True}).json()
    assert (sure["id"], sure["status"], sure["components"]) == (shown["id"], "active", [])
    changed = ada("patch", f"/subscribers/{sure['id']}/", {"components": [web.public_id], "language": "de"}).json()
    assert (changed["components"], changed["language"]) == ([web.public_id], "de")
    kept = ada("patch", f"/subscribers/{sure['id']}/", {"only_own": False}).json()
    assert kept["components"] == [web.public_id]
    assert ada("patch", f"/subscribers/{sure['id']}/", {"address": "other@x.example"}).status_code == 400
    assert [one["id"] for one in grace("get", "/subscribers/", status="active").json()["results"]] == [sure["id"]]
    assert ada("delete", f"/subscribers/{sure['id']}/").status_code == 204
    assert not Subscriber.objects.exists()


def test_a_webhooks_secret_is_shown_once(company: Company, settings: object) -> None:
    ada = Caller(company.ada)
    given = {"kind": "webhook", "address": "https://93.184.216.34/hook", "confirmed": True}
    made = ada("post", "/subscribers/", given).json()
    assert made["secret"].startswith("whsec_")
    assert ada("get", f"/subscribers/{made['id']}/").json()["secret"] is None


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "https://10.0.0.1/"),
        ("email", "x"),
        ("slack", "general"),
        ("telegram", ""),
        ("pigeon", "a@x.example"),
    ],
)
def test_what_cannot_be_told(company: Company, kind: str, address: str) -> None:
    ada = Caller(company.ada)
    assert ada("post", "/subscribers/", {"kind": kind, "address": address, "confirmed": True}).status_code == 400
    assert not Subscriber.objects.exists()


def test_what_agents_see(company: Company, at: datetime, client: Client) -> None:
    subscriber("carol@acme.example", at, customer=company.carol)
    subscriber("C0123456", at, kind="slack")
    incident = incidents.open_incident(Opening("Disks gone", Words("investigating", "x")), company.ada, at=at)
    settle(at)
    tell(at)
    update = incident.updates.get()
    assert Distribution.objects.get().sent == 1

    client.force_login(company.grace)
    page = client.get(f"/desk/status/updates/{update.public_id}/")
    assert page.status_code == 200 and b"All told" in page.content and b"Disks gone" in page.content
    assert client.get("/desk/settings/subscribers/").status_code == 403

    client.force_login(company.ada)
    listed = client.get("/desk/settings/subscribers/")
    assert b"carol@acme.example" in listed.content and b"Acme Media" in listed.content
    assert b"Not connected" in listed.content
    form = client.get("/desk/settings/subscribers/new/")
    assert b"not connected" in form.content and b"Disks gone" in form.content
    made = client.post(
        "/desk/settings/subscribers/new/",
        {"kind": "email", "address": "ops@x.example", "components": "", "language": "fr", "is_confirmed": "on"},
    )
    assert made.status_code == 302
    known = Subscriber.objects.get(address="ops@x.example")
    assert (known.status, known.language, known.wants_all) == ("active", "fr", True)
    silent = incidents.add_update(incident, Words("resolved", "y", tells=False), company.ada, at=at)
    assert b"Nobody is told" in client.get(f"/desk/status/updates/{silent.public_id}/").content
