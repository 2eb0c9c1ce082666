"""One text for all: a post on each account, once, whatever happens in between; incidents announce themselves."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from helpdesk.conversations.incidents import Announced
from helpdesk.events.models import Event
from helpdesk.sla.models import Policy
from social import accounts, announcing, reach
from social.models import Account, Announcement, AnnouncementPost
from tests.fixtures.company import Company
from tests.fixtures.providers.mastodon import MastodonServer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: object) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"  # type: ignore[attr-defined]


def _go(announcement: Announcement, at: datetime) -> AnnouncementPost:
    announcing.submit(announcement.pk, publish_at=at)
    announcing.announce_due(at=at)
    announcing.announce_due(at=at)
    return announcement.posts.get()


def test_it_is_posted_once_with_the_link_and_its_address_is_kept(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime
) -> None:
    made = announcing.write("New data centre. " * 60, [account], company.ada, at=at, link="https://demo.example/dc")
    post = _go(made, at)
    assert (post.state, post.due_at) == ("sent", None), post.error
    assert post.url.startswith(mastodon.url)
    (status,) = mastodon.statuses
    assert len(status["status"]) <= 500 and status["status"].endswith("https://demo.example/dc")
    made.refresh_from_db()
    assert made.state == "published"
    with pytest.raises(announcing.NotOpen):
        announcing.withdraw(made.pk)


def test_a_worker_that_dies_between_sending_and_writing_it_down_posts_once(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = announcing.write("We are moving.", [account], company.ada, at=at)
    announcing.submit(made.pk, publish_at=at)

    class Killed(BaseException):
        pass

    def die(*given: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(announcing, "_sent", die)
        with pytest.raises(Killed):
            announcing.announce_due(at=at)
    post = made.posts.get()
    assert (post.state, len(mastodon.statuses)) == ("sending", 1)
    assert announcing.announce_due(at=at + MINUTE) == 0, "the dead worker's lease has not ended"

    announcing.announce_due(at=at + 3 * MINUTE)
    post.refresh_from_db()
    assert (post.state, len(mastodon.statuses)) == ("sent", 1)


def test_a_lost_answer_and_a_network_that_is_away_are_tried_again(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime
) -> None:
    mastodon.cut_next(process=True)
    made = announcing.write("Hello.", [account], company.ada, at=at)
    post = _go(made, at)
    assert post.state != "sent" and post.due_at is not None and post.due_at > at
    mastodon.fail_next(503, {"error": "maintenance"}, times=1)
    announcing.announce_due(at=post.due_at)
    post.refresh_from_db()
    assert post.due_at is not None
    announcing.announce_due(at=post.due_at)
    post.refresh_from_db()
    assert (post.state, len(mastodon.statuses)) == ("sent", 1), post.error


def test_what_is_not_connected_says_so_and_is_sent_or_marked_later(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime
) -> None:
    accounts.set_state(account.pk, Account.State.NOT_CONNECTED, "", at=at)
    made = announcing.write("Hello.", [account], company.ada, at=at)
    post = _go(made, at)
    assert (post.state, post.due_at) == ("not_connected", None)
    assert mastodon.statuses == []
    accounts.set_state(account.pk, Account.State.CONNECTED, "", at=at)
    assert announcing.retry(post.pk, at=at) and not announcing.retry(post.pk, at=at)
    announcing.announce_due(at=at)
    post.refresh_from_db()
    assert post.state == "sent" and not announcing.mark_posted(post.pk, "", at=at)

    AnnouncementPost.objects.update(state="by_hand", external_id="")
    assert announcing.mark_posted(post.pk, "", at=at), "an address is not always at hand"
    post.refresh_from_db()
    assert (post.state, post.external_id) == ("sent", f"hand:{post.pk}")


def test_a_second_person_reads_it_where_that_is_wanted(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime
) -> None:
    Account.objects.update(needs_approval=True)
    made = announcing.write("Hello.", [account], company.ada, at=at)
    assert _go(made, at).state == "pending" and mastodon.statuses == []
    with pytest.raises(announcing.SecondReader):
        announcing.approve(made.pk, company.ada, at=at)
    announcing.approve(made.pk, company.grace, at=at)
    announcing.announce_due(at=at)
    assert len(mastodon.statuses) == 1
    with pytest.raises(announcing.NotOpen):
        announcing.rewrite(made.pk, "Other words", [account])


def test_private_data_and_what_is_too_long_are_refused(account: Account, company: Company, at: datetime) -> None:
    with pytest.raises(announcing.Exposes) as found:
        announcing.write("Write to carol@acme.example, password: hunter22", [account], company.ada, at=at)
    assert set(found.value.kinds) == {"email", "password"}
    with pytest.raises(announcing.TooLong):
        announcing.write("Hello.", [account], company.ada, at=at, texts={account.pk: "x" * 501})
    assert not Announcement.objects.exists()
    assert announcing.write("Write to support@demo.example", [account], company.ada, at=at).pk


def test_words_of_its_own_and_rewriting(account: Account, company: Company, at: datetime) -> None:
    made = announcing.write("Hello.", [account], company.ada, at=at, texts={account.pk: "Hello, Fediverse."})
    assert made.posts.get().text == "Hello, Fediverse."
    announcing.submit(made.pk, publish_at=at + MINUTE)
    again = announcing.rewrite(made.pk, "Good bye.", [account])
    assert (again.state, again.publish_at, again.posts.get().text) == ("draft", None, "Good bye.")
    announcing.withdraw(made.pk)
    assert announcing.announce_due(at=at + 9 * MINUTE) == 0


Told = Callable[[int], Announcement]


@pytest.fixture
def incident(settings: object, at: datetime) -> Callable[..., None]:
    """Tell the room of an update of one incident."""

    def tell(number: int, *, is_outage: bool) -> None:
        TOLD[number] = is_outage
        event = Event(kind="incident.published", at=at, data={"update": number})
        announcing.follow_incident(event, at)

    settings.INCIDENTS = {"announced": "tests.social.test_announcing.announced"}  # type: ignore[attr-defined]
    TOLD.clear()
    return tell


TOLD: dict[int, bool] = {}


def announced(update: int) -> object:
    """The status room's answer, for these tests."""
    return Announced(f"Update {update}", "https://demo.example/s/1", "incident:1", f"update:{update}", TOLD[update])


def test_every_update_is_told_once_below_the_first_and_facebook_hears_of_outages_alone(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime, incident: Callable[..., None]
) -> None:
    page = Account.objects.create(network="facebook", name="Page", created_at=at)
    incident(1, is_outage=False)
    incident(1, is_outage=False)
    incident(2, is_outage=True)
    announcing.announce_due(at=at)
    announcing.announce_due(at=at)

    assert [one["status"].partition("\n")[0] for one in mastodon.statuses] == ["Update 1", "Update 2"]
    assert mastodon.statuses[1]["in_reply_to_id"] == mastodon.statuses[0]["id"]
    (post,) = AnnouncementPost.objects.filter(account=page)
    assert (post.announcement.text, post.state) == ("Update 2", "not_connected")


def test_a_later_update_waits_for_the_first_one(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime, incident: Callable[..., None]
) -> None:
    mastodon.fail_next(503, {"error": "maintenance"}, times=1)
    incident(1, is_outage=True)
    incident(2, is_outage=True)
    announcing.announce_due(at=at)
    assert mastodon.statuses == []
    announcing.announce_due(at=at + MINUTE)
    assert [one["status"].partition("\n")[0] for one in mastodon.statuses] == ["Update 1", "Update 2"]
    assert mastodon.statuses[1]["in_reply_to_id"] == mastodon.statuses[0]["id"]


def test_the_public_block_promises_what_a_policy_holds(account: Account, company: Company, at: datetime) -> None:
    (place,) = reach.places(at=at)
    assert "when we can" in place.promise and place.is_covered_now is None
    policy = Policy.objects.order_by("pk")[0]
    Account.objects.update(policy=policy, coverage="several")
    (place,) = reach.places(at=at)
    assert "several times a day" in place.promise and place.is_covered_now is True
    assert place.url == f"{account.base_url}/@demo"
    accounts.set_state(account.pk, Account.State.PAUSED, "", at=at)
    assert reach.places(at=at) == []
