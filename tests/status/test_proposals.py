"""Many tickets on one component propose an incident, once; whatever is decided ends the proposal."""

from datetime import datetime, timedelta

import pytest
from django.utils.timezone import now
from pytest_django import Settings

from helpdesk.customers.models import Customer, Service, User
from helpdesk.events import outbox
from helpdesk.events.models import Event, OutboxEntry
from status import incidents, linking, proposals, proposals_in_slack
from status.incidents import Opening, Words
from status.models import Component, IncidentConversation, Proposal
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.fixtures.engine import Engine
from tests.fixtures.providers.slack import SlackServer
from tests.fixtures.status import component, without_components
from tickets.desk import proposed

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=9)


@pytest.fixture
def web(company: Company, at: datetime, settings: Settings) -> Component:
    settings.PROPOSE_INCIDENT_TICKETS, settings.PROPOSE_INCIDENT_MINUTES = 3, 10
    without_components()
    found = component("Web 1", at)
    found.services.add(Service.objects.get(name="c01-web1.demo.example"))
    return found


def _ask(customer: Customer, at: datetime, count: int) -> list[int]:
    return [write(customer, at, subject=f"Down {number}").pk for number in range(count)]


def _words(web: Component) -> Opening:
    return Opening("Web 1 is down", Words("investigating", "We look.", {web.pk: "major_outage"}))


def test_enough_tickets_in_time_propose_one_incident(web: Component, company: Company, at: datetime) -> None:
    asked = _ask(company.carol, at, 2)
    assert proposals.find(at + LATER) == 0
    asked += _ask(company.carol, at + LATER, 1)
    assert proposals.find(at + LATER) == 1
    assert proposals.find(at + LATER) == 0
    (found,) = proposals.waiting()
    assert (found.component, found.conversations) == (web, asked)
    assert proposals.words(found) == "3 tickets on Web 1: open an incident?"
    assert Event.objects.filter(kind=proposals.MADE).count() == 1

    more = _ask(company.carol, at + LATER, 2)
    assert proposals.find(at + LATER) == 0
    found.refresh_from_db()
    assert found.conversations == [*asked, *more]


def test_too_few_too_slow_and_machines_propose_nothing(web: Component, company: Company, at: datetime) -> None:
    _ask(company.carol, at, 2)
    _ask(company.carol, at + timedelta(minutes=11), 2)
    _ask(company.gil, at + timedelta(minutes=11), 5)
    for _ in range(5):
        write(company.carol, at + timedelta(minutes=11), is_automatic=True)
    assert proposals.find(at + timedelta(minutes=12)) == 0


def test_the_server_is_proposed_not_the_cluster_around_it(web: Component, company: Company, at: datetime) -> None:
    cluster = component("Cluster 1", at)
    cluster.services.add(Service.objects.get(name="c01"))
    _ask(company.carol, at, 3)
    _ask(company.ivy, at, 1)  # on the cluster's other server
    assert proposals.find(at) == 1
    assert proposals.waiting()[0].component == web
    _ask(company.ivy, at, 2)
    assert proposals.find(at) == 1
    assert {one.component for one in proposals.waiting()} == {web, cluster}


def test_what_goes_on_already_is_not_proposed(web: Component, company: Company, at: datetime) -> None:
    incidents.open_incident(_words(web), company.ada, at=at)
    _ask(company.carol, at, 4)
    assert proposals.find(at) == 0


def test_from_a_proposal_to_an_incident(web: Component, company: Company, at: datetime) -> None:
    asked = _ask(company.carol, at, 3)
    proposals.find(at)
    (found,) = proposals.waiting()
    incident = proposals.open_from(found.pk, _words(web), company.linus, at=at)
    while outbox.drain(at):
        pass
    links = IncidentConversation.objects.filter(incident=incident)
    assert {link.how for link in links} == {"proposal"}
    assert sorted(link.conversation_id for link in links) == asked
    assert linking.counts(incident).told == 3
    found.refresh_from_db()
    assert (found.ended_at, found.ended_by, found.incident) == (at, company.linus, incident)
    with pytest.raises(proposals.Decided):
        proposals.dismiss(found.pk, company.ada, at=at)


def test_it_may_belong_to_what_is_known(web: Component, company: Company, at: datetime) -> None:
    other = incidents.open_incident(Opening("Network", Words("investigating", "We look.")), company.ada, at=at)
    _ask(company.carol, at, 3)
    proposals.find(at)
    proposals.join(proposals.waiting()[0].pk, other, company.ada, at=at)
    while outbox.drain(at):
        pass
    assert linking.counts(other).told == 3
    assert proposals.waiting() == []


def test_dismissed_it_is_not_asked_again_at_once(web: Component, company: Company, at: datetime) -> None:
    _ask(company.carol, at, 3)
    proposals.find(at)
    proposals.dismiss(proposals.waiting()[0].pk, company.ada, at=at)
    _ask(company.carol, at + LATER, 3)
    assert proposals.find(at + LATER) == 0
    later = at + timedelta(hours=2)
    _ask(company.carol, later, 3)
    assert proposals.find(later) == 1


def test_an_incident_opened_otherwise_answers_it(web: Component, company: Company, at: datetime) -> None:
    _ask(company.carol, at, 3)
    proposals.find(at)
    incident = incidents.open_incident(_words(web), company.ada, at=at)
    while outbox.drain(at):
        pass
    assert Proposal.objects.get().incident == incident
    assert linking.counts(incident).told == 3


def test_nothing_is_proposed_where_that_is_switched_off(
    web: Component, company: Company, at: datetime, settings: Settings
) -> None:
    settings.PROPOSE_INCIDENT_TICKETS = 0
    _ask(company.carol, at, 3)
    assert proposals.find(at) == 0


def test_whoever_may_open_one_is_asked(
    web: Component, company: Company, at: datetime, slack: SlackServer, engine: Engine
) -> None:
    moment = now()
    _ask(company.carol, moment, 3)
    proposals.find(moment)
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    watching = [company.ada.pk, company.grace.pk, company.linus.pk]
    frames = proposed.live(list(Event.objects.filter(kind=proposals.MADE)), watching)
    assert {(user, conversation) for user, conversation, _frame in frames} == {
        (company.ada.pk, 0),
        (company.grace.pk, 0),
    }
    frame = frames[0][2]
    assert (frame["url"], frame["toast"], frame["kind"]) == ("/desk/status/", True, "proposal")
    assert "3 tickets on Web 1" in frame["text"]

    outbox.drain(moment)
    planned = Event.objects.filter(kind="notice.planned", data__kind="proposal")
    assert {event.data["user"] for event in planned} == set(
        User.objects.filter(is_active=True).exclude(role="viewer").values_list("pk", flat=True)
    )
    (posted,) = [one for one in slack.messages if "3 tickets on Web 1" in one.text]
    assert posted.text.endswith("/desk/status/")
    while outbox.drain(moment):
        pass
    assert not OutboxEntry.objects.exclude(error="").exists(), "whichever way they are told"


def test_what_was_decided_meanwhile_is_not_told_to_slack(
    web: Component, company: Company, at: datetime, slack: SlackServer
) -> None:
    _ask(company.carol, at, 3)
    proposals.find(at)
    proposals.dismiss(Proposal.objects.get().pk, company.ada, at=at)
    proposals_in_slack.tell(Event.objects.get(kind=proposals.MADE), at)
    assert not slack.messages
