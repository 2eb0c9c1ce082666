"""Lists that are open: what of what has changed belongs to them, as the list itself would say."""

from datetime import datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events.actors import Actor
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk import inbox, live_lists, queue
from tickets.desk.models import SavedView

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(company: Company) -> list[Conversation]:
    """Of all kinds."""
    at = now()
    made = [write(company.carol, at + timedelta(seconds=n), subject=f"Number {n}") for n in range(8)]
    changes: list[conversations.Changes] = [
        conversations.Changes(assignee=company.grace),
        conversations.Changes(status="resolved"),
        conversations.Changes(status="pending", assignee=company.linus),
        conversations.Changes(snoozed_until=at + timedelta(days=1)),
        conversations.Changes(is_spam=True),
        conversations.Changes(tags=["vip"], priority="urgent"),
    ]
    for conversation, change in zip(made, changes, strict=False):
        conversations.change(conversation.pk, change, actor=Actor.agent(company.ada), at=at + timedelta(minutes=1))
    conversations.note(made[6].pk, company.ada, "@Grace Hopper look", at=at)
    return made


def _queries(user: User) -> list[str]:
    saved = SavedView.objects.create(
        name="Important", owner=user, filters={"priority": ["urgent"]}, newest_first=True, updated_at=now()
    )
    narrowed = ["view=filter&tag=vip", "view=all&assignee=me", "view=filter&team=mine&status=open"]
    return [*(f"view={key}" for key in inbox.standard()), f"view=saved-{saved.pk}", *narrowed]


def test_what_belongs_is_what_the_list_shows_in_its_order(company: Company, many: list[Conversation]) -> None:
    ids = {one.pk for one in many}
    shown = 0
    for user in (company.ada, company.grace, company.linus):
        opened = {query: live_lists.opened(user.pk, query) for query in _queries(user)}
        belonging = live_lists.belonging({one for one in opened.values() if one}, ids)
        for query, one in opened.items():
            assert one is not None, query
            view = inbox.asked(QueryDict(query), user)
            rows = queue.read(view, user).rows
            assert belonging[one] == {row["id"]: row["place"] for row in rows}, query
            newest = view.order == inbox.NEWEST
            places = [(row["place"], -row["id"] if newest else row["id"]) for row in rows]
            assert places == sorted(places), query
            shown += len(rows)
    assert shown > 40


def test_a_hundred_agents_who_look_at_what_is_theirs_ask_once(
    company: Company, many: list[Conversation], django_assert_num_queries: object
) -> None:
    lists = [live_lists.opened(number, "view=mine") for number in range(1, 101)]
    with django_assert_num_queries(1) as asked:  # type: ignore[operator]
        found = live_lists.belonging([one for one in lists if one], {one.pk for one in many})

    assert asked.captured_queries[0]["sql"].count("SELECT") == 1
    mine = live_lists.opened(company.grace.pk, "view=mine")
    assert mine is not None
    assert set(live_lists.belonging([mine], {one.pk for one in many})[mine]) == {many[0].pk}
    assert len(found) == 100


@pytest.mark.parametrize(
    "query", ["view=none", "view=all&team=x", "view=all&tag=%00", "tag=" + "a," * 2000, "ä=ö", "view=saved-1"]
)
def test_what_is_no_list_of_theirs_is_none(company: Company, query: str) -> None:
    assert live_lists.opened(company.grace.pk, query) is None


def test_what_has_no_deadline_comes_last(at: datetime) -> None:
    some, none = {"next_due_at": at}, {"next_due_at": None}
    assert queue.place(some, inbox.DUE) < queue.place(none, inbox.DUE) == queue.NOWHERE
