"""From a monitoring system's call to an incident and back: what lasts counts, what flaps does not."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from helpdesk.customers.models import Service
from helpdesk.events import hooks, outbox
from helpdesk.events.models import Hook
from status import incidents, proposals
from status.incidents import Words
from status.models import Component, Incident, Signal, SignalSource
from status.signals import acting, receivers, sources
from status.signals.payloads import Alert
from tests.fixtures.company import Company
from tests.fixtures.status import component, without_components

pytestmark = pytest.mark.django_db
HELD = timedelta(minutes=2)
SECOND = timedelta(seconds=1)


@pytest.fixture
def web(company: Company, at: datetime) -> Component:
    without_components()
    found = component("Web 1", at)
    found.services.add(Service.objects.get(name="c01-web1.demo.example"))
    return found


def _source(at: datetime, mode: str = "open", kind: str = "generic") -> tuple[SignalSource, str]:
    return sources.create("Watcher", kind, mode=mode, holds_seconds=120, at=at)


def _down(**more: Any) -> Alert:
    said: dict[str, Any] = {"is_firing": True, "state": "major_outage", "hosts": ("c01-web1:9100",)} | more
    return Alert("one", "c01-web1 secret thing", **said)


def _up(**more: Any) -> Alert:
    return _down(is_firing=False, **more)


def test_a_call_opens_an_incident_and_its_end_resolves_it(
    web: Component, company: Company, at: datetime, client: Client
) -> None:
    _made, token = _source(at)
    path = f"/hooks/status/{token}/"
    assert sources.address(token).endswith(path)

    def call(state: str) -> Signal:
        body = {"status": state, "host": "c01-web1", "title": "disk <b>17</b> of internal-db"}
        answer = client.post(path, json.dumps(body), content_type="application/json")
        assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
        hook = Hook.objects.latest("pk")
        while outbox.drain(hook.received_at):
            pass
        hook.refresh_from_db()
        assert hook.state == Hook.State.DONE
        return Signal.objects.get()

    signal = call("down")
    assert signal.due_at is not None and list(signal.components.all()) == [web]
    assert acting.sweep(signal.due_at - SECOND) == 0
    assert acting.sweep(signal.due_at) == 1
    incident = Incident.objects.get()
    web.refresh_from_db()
    assert (incident.status, incident.created_by, web.state) == ("investigating", None, "major_outage")
    said = incident.name + incident.updates.get().body
    assert "Web 1" in said and "disk" not in said, "what a monitoring system writes is not for the world"

    signal = call("up")
    assert signal.due_at is not None
    acting.sweep(signal.due_at)
    incident.refresh_from_db()
    web.refresh_from_db()
    assert (incident.status, web.state) == ("resolved", "operational")


def test_the_address_is_the_secret(web: Component, at: datetime, client: Client) -> None:
    source, token = _source(at)
    body = json.dumps({"status": "down", "host": "c01-web1"})
    for wrong in ("x", token[:-1], "a" * 300, sources.digest(token)):
        assert client.post(f"/hooks/status/{wrong}/", body, content_type="application/json").status_code == 403
    assert client.get(f"/hooks/status/{token}/").status_code == 405
    SignalSource.objects.update(is_active=False)
    assert client.post(f"/hooks/status/{token}/", body, content_type="application/json").status_code == 403
    SignalSource.objects.update(is_active=True)
    fresh = sources.renew_token(source)
    assert client.post(f"/hooks/status/{token}/", body, content_type="application/json").status_code == 403
    assert client.post(f"/hooks/status/{fresh}/", body, content_type="application/json").status_code == 202
    assert Hook.objects.count() == 1


def test_what_cannot_be_read_is_kept_and_said(at: datetime, company: Company, client: Client) -> None:
    _source_made, token = _source(at)
    answer = client.post(f"/hooks/status/{token}/", b"{", content_type="application/json")
    assert (answer.status_code, answer.json()) == (202, {"status": "quarantined"})
    assert (Hook.objects.get().state, Hook.objects.get().error) == ("quarantined", "no JSON")
    large = client.post(f"/hooks/status/{token}/", b" " * (1024 * 1024 + 1), content_type="application/json")
    assert large.status_code == 413


def test_short_trouble_counts_for_nothing(web: Component, at: datetime) -> None:
    source, _token = _source(at)
    receivers.note(source, _down(), heard_at=at)
    receivers.note(source, _up(), heard_at=at + timedelta(minutes=1))
    acting.sweep(at + timedelta(hours=1))
    assert not Incident.objects.exists()
    assert Signal.objects.get().due_at is None


def test_what_flaps_waits_until_it_keeps_still(web: Component, at: datetime) -> None:
    source, _token = _source(at)
    when = at
    for turn in range(9):
        receivers.note(source, _down() if turn % 2 == 0 else _up(), heard_at=when)
        acting.sweep(when)
        when += timedelta(minutes=3 if turn > 4 else 1)
    assert not Incident.objects.exists(), "each trouble was over before it counted"
    last = Signal.objects.get()
    assert last.is_firing and last.due_at == last.since + receivers.STILL_FOR
    acting.sweep(last.due_at)
    assert Incident.objects.count() == 1


def test_a_late_call_changes_nothing(web: Component, at: datetime) -> None:
    source, _token = _source(at)
    receivers.note(source, _up(), heard_at=at + timedelta(minutes=1))
    assert receivers.note(source, _down(), heard_at=at) is None
    assert not Signal.objects.get().is_firing


def test_two_signals_of_one_component_are_one_incident(web: Component, at: datetime) -> None:
    source, _token = _source(at)
    other = Alert("two", "HTTP", True, "degraded_performance", hosts=("c01-web1",))
    receivers.note(source, _down(), heard_at=at)
    receivers.note(source, other, heard_at=at)
    acting.sweep(at + HELD)
    incident = Incident.objects.get()
    assert incident.signals.count() == 2

    receivers.note(source, _up(), heard_at=at + HELD)
    acting.sweep(at + 2 * HELD)
    incident.refresh_from_db()
    assert incident.status == "investigating", "one of them goes on"
    receivers.note(source, Alert("two", "HTTP", False), heard_at=at + 2 * HELD)
    acting.sweep(at + 3 * HELD)
    incident.refresh_from_db()
    assert incident.status == "resolved"


def test_it_follows_what_becomes_worse_silently(web: Component, at: datetime) -> None:
    source, _token = _source(at)
    receivers.note(source, _down(state="degraded_performance"), heard_at=at)
    acting.sweep(at + HELD)
    receivers.note(source, _down(), heard_at=at + HELD)
    acting.sweep(at + 2 * HELD)
    web.refresh_from_db()
    assert web.state == "major_outage"
    assert list(Incident.objects.get().updates.order_by("pk").values_list("tells", flat=True)) == [True, False]


def test_what_people_say_something_about_is_theirs(web: Component, company: Company, at: datetime) -> None:
    source, _token = _source(at)
    receivers.note(source, _down(), heard_at=at)
    acting.sweep(at + HELD)
    incident = Incident.objects.get()
    incidents.add_update(incident, Words("identified", "A disk."), company.ada, at=at + HELD)
    receivers.note(source, _up(), heard_at=at + HELD)
    acting.sweep(at + 3 * HELD)
    incident.refresh_from_db()
    assert incident.status == "identified"


def test_a_source_that_only_proposes(web: Component, company: Company, at: datetime) -> None:
    source, _token = _source(at, mode="propose")
    receivers.note(source, _down(), heard_at=at)
    acting.sweep(at + HELD)
    assert not Incident.objects.exists()
    (found,) = proposals.waiting()
    assert proposals.words(found) == "Watcher: c01-web1 secret thing: open an incident for Web 1?"
    receivers.note(source, _up(), heard_at=at + HELD)
    acting.sweep(at + 2 * HELD)
    assert proposals.waiting() == []


def test_during_maintenance_signals_wait(web: Component, company: Company, at: datetime) -> None:
    Component.objects.filter(pk=web.pk).update(own_state="under_maintenance", state="under_maintenance")
    source, _token = _source(at)
    receivers.note(source, _down(), heard_at=at)
    acting.sweep(at + HELD)
    assert not Incident.objects.exists()
    Component.objects.filter(pk=web.pk).update(own_state="operational", state="operational")
    acting.sweep(at + HELD + timedelta(minutes=1))
    assert Incident.objects.count() == 1


def test_what_is_nothing_of_ours_stays_a_signal(web: Component, at: datetime) -> None:
    source, _token = _source(at)
    receivers.note(source, Alert("x", "mars is cold", True, hosts=("mars",)), heard_at=at)
    assert acting.sweep(at + HELD) == 1
    assert not Incident.objects.exists() and Signal.objects.get().due_at is None


def test_components_are_named_outright_or_by_the_most_precise_service(web: Component, at: datetime) -> None:
    cluster = component("Cluster 1", at)
    cluster.services.add(Service.objects.get(name="c01"))
    named = Alert("x", "x", True, components=("cluster 1", web.public_id))
    assert set(receivers.components_of(named)) == {cluster.pk, web.pk}
    assert receivers.components_of(Alert("x", "c01-web1 is down", True)) == [web.pk]
    assert set(receivers.components_of(Alert("x", "acme.example is down", True))) == {web.pk, cluster.pk}
    assert receivers.components_of(Alert("x", "x", True, components=("no such",), hosts=("c01",))) == [cluster.pk]


def test_a_stored_call_of_a_source_that_went_is_quarantined(at: datetime, company: Company) -> None:
    hooks.store("status", "1", b"{}", {"source": "999999"}, at=at)
    while outbox.drain(at):
        pass
    assert Hook.objects.get().error == "its source is no longer there"
