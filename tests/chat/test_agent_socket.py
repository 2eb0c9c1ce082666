"""The agents' socket: what it says, to whom, in which order, and when it ends."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.test import Client
from django.utils.timezone import now
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chat import sockets
from helpdesk.conversations import actions as conversations
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.people import actions as people
from tests.chat.agents import Desks
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write

pytestmark = pytest.mark.django_db(transaction=True)


def _private(company: Company, *members: User) -> Team:
    team = Team.objects.create(name="Management", is_private=True)
    team.members.set(members)
    return team


def test_what_one_agent_does_another_is_told(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now(), subject="Broken")
    grace = desks.of(company.grace)
    welcome = grace.hello()

    conversations.note(conversation.pk, company.ada, "Looks like the cache.", at=now())
    told = grace.event("note.written")

    event = Event.objects.get(kind="note.written")
    assert welcome["me"] == {"id": company.grace.pk, "name": company.grace.name}
    assert (told["id"], told["conv"], told["seq"], told["k"]) == (event.pk, conversation.pk, event.seq, "msg.new")
    assert told["d"]["preview"] == "Looks like the cache." and told["d"]["name"] == company.ada.name
    assert told["d"]["internal"] is True


def test_numbers_beside_the_views_follow(desks: Desks, company: Company) -> None:
    grace = desks.of(company.grace)
    welcome = grace.hello()
    assert "reply" not in welcome["counts"]

    write(company.carol, now())

    assert grace.until(lambda frame: frame["t"] == "count")["v"]["reply"] == "1"


def test_who_comes_back_is_told_what_they_missed_once_and_in_order(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace = desks.of(company.grace)
    cursor = grace.hello()["head"]
    grace.close()
    for number in range(5):
        conversations.note(conversation.pk, company.ada, f"Note {number}", at=now())
    missed = list(Event.objects.filter(kind="note.written").order_by("pk").values_list("pk", flat=True))

    again = desks.of(company.grace)
    again.hello(after=cursor)
    told = again.passes(missed[-1])

    assert [frame["id"] for frame in told if frame["t"] == "ev"] == missed


@pytest.mark.parametrize("after", [2**62, 1])
def test_a_cursor_that_is_unknown_or_too_old_begins_anew(
    desks: Desks, company: Company, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_CAUGHT_UP", 2)
    write(company.carol, now())
    write(company.gil, now())
    write(company.ivy, now())
    first = Event.objects.order_by("pk").first()
    assert first is not None
    grace = desks.of(company.grace)
    welcome = grace.hello(after=first.pk if after == 1 else after)

    reset = grace.until(lambda frame: frame["t"] == "reset")

    assert reset["head"] == welcome["head"]


def test_private_teams_are_told_to_members_and_admins_alone(desks: Desks, company: Company) -> None:
    team = _private(company, company.linus)
    conversation = write(company.carol, now())
    conversations.change(conversation.pk, conversations.Changes(team=team), actor=Actor.agent(company.ada), at=now())
    ada, linus, grace = (desks.of(user) for user in (company.ada, company.linus, company.grace))
    for desk in (ada, linus, grace):
        desk.hello()

    conversations.note(conversation.pk, company.ada, "Between us.", at=now())
    event = Event.objects.get(kind="note.written")

    assert ada.event("note.written")["id"] == linus.event("note.written")["id"] == event.pk
    assert {frame["t"] for frame in grace.passes(event.pk)} <= {"cur", "count", "ping"}


def test_catching_up_shows_nothing_of_private_teams(desks: Desks, company: Company) -> None:
    team = _private(company)
    conversation = write(company.carol, now())
    cursor = desks.of(company.grace).hello()["head"]
    conversations.change(conversation.pk, conversations.Changes(team=team), actor=Actor.agent(company.ada), at=now())
    conversations.note(conversation.pk, company.ada, "Between us.", at=now())

    grace = desks.of(company.grace)
    grace.hello(after=cursor)

    assert "ev" not in {frame["t"] for frame in grace.passes(Event.objects.latest("pk").pk)}


def test_strangers_are_told_nothing(desks: Desks, company: Company) -> None:
    assert desks.by(None).closed_with() == 4401
    forged = Client()
    forged.cookies["sessionid"] = "0" * 32
    assert desks.by(forged).closed_with() == 4401


def test_viewers_read_along(desks: Desks, company: Company) -> None:
    User.objects.filter(pk=company.grace.pk).update(role=User.Role.VIEWER)
    viewer = desks.of(company.grace)
    viewer.hello()
    write(company.carol, now())
    assert viewer.event("conversation.opened")


def test_other_sites_pages_may_not_speak(desks: Desks, company: Company) -> None:
    for origin in ("https://evil.example", "http://[", "null"):
        with pytest.raises(InvalidStatus) as refused:
            desks.of(company.grace, Origin=origin)
        assert refused.value.response.status_code == 403
    assert desks.of(company.grace, Origin=desks.site.url).hello()


def _deactivate(company: Company, client: Client) -> None:
    people.save_agent(company.grace, {"is_active": False}, actor=Actor.agent(company.ada), at=now())


def _log_out(company: Company, client: Client) -> None:
    client.post("/desk/logout/")


def _end_sessions(company: Company, client: Client) -> None:
    client.session.delete()


@pytest.mark.parametrize("remove", [_deactivate, _log_out, _end_sessions])
def test_who_may_no_longer_be_here_is_shown_out_at_once(
    desks: Desks, company: Company, remove: Callable[[Company, Client], None]
) -> None:
    client = logged_in(company.grace)
    grace = desks.by(client)
    grace.hello()

    remove(company, client)
    write(company.carol, now())

    assert grace.closed_with() == 4401
    assert "ev" not in {frame["t"] for frame in grace.said}
    assert desks.by(client).closed_with() == 4401


def test_who_leaves_a_private_team_sees_nothing_more_of_it(desks: Desks, company: Company) -> None:
    team = _private(company, company.grace)
    conversation = write(company.carol, now())
    conversations.change(conversation.pk, conversations.Changes(team=team), actor=Actor.agent(company.ada), at=now())
    grace = desks.of(company.grace)
    grace.hello()

    team.members.remove(company.grace)
    conversations.note(conversation.pk, company.ada, "Between us.", at=now())

    assert grace.closed_with() == 1012
    assert "ev" not in {frame["t"] for frame in grace.said}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", 4400),
        ("[]", 4400),
        ('{"t": 5}', 4400),
        ("[" * 30_000, 4400),
        ('{"t": "hello", "v": 1, "after": "x"}', 4400),
        ('{"t": "hello", "v": 1, "after": -1}', 4400),
        ('{"t": "hello", "v": 1, "after": 9999999999999999999999}', 4400),
        ('{"t": "hello", "v": 2}', 4426),
        ('{"t": "pong"}', 4408),
        ('{"t": "hello", "v": 1, "tab": "' + "x" * sockets.LARGEST_FRAME + '"}', 4400),
    ],
)
def test_nonsense_ends_it(desks: Desks, company: Company, frame: str, code: int) -> None:
    grace = desks.of(company.grace)
    grace.socket.send(frame)
    assert grace.closed_with() == code


def test_who_says_nothing_is_not_waited_for(desks: Desks, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.2)
    assert desks.of(company.grace).closed_with() == 4408


def test_too_many_frames_end_it(desks: Desks, company: Company) -> None:
    grace = desks.of(company.grace)
    grace.hello()
    # It may end before all is said.
    with suppress(ConnectionClosed):
        for _ in range(sockets.BURST * 3):
            grace.say("something.new")
    assert grace.closed_with() == 4429


def test_unknown_frames_are_ignored(desks: Desks, company: Company) -> None:
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("something.new", d={})
    write(company.carol, now())
    assert grace.event("conversation.opened")


def test_an_agent_has_so_many_sockets(desks: Desks, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MOST_PER_AGENT", 1)
    client = logged_in(company.grace)
    desks.by(client).hello()
    second = desks.by(client)
    second.say("hello", v=1)
    assert second.closed_with() == 4429


def test_a_page_that_does_not_take_what_it_is_sent_is_dropped(
    desks: Desks, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_WAITING", 3)
    conversation = write(company.carol, now())
    first = Event.objects.latest("pk").pk
    for number in range(20):
        conversations.note(conversation.pk, company.ada, f"Note {number}", at=now())
    grace = desks.of(company.grace)
    grace.say("hello", v=1, after=first)
    assert grace.closed_with() == 4429
