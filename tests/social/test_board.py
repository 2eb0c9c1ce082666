"""The coverage board, the pages of announcements, and who is told when an account needs somebody."""

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from helpdesk import metrics
from helpdesk.events import outbox
from helpdesk.oncall.models import Schedule
from helpdesk.sla.models import Calendar, Goal, Policy
from social import accounts, announcing, by_hand, connecting, coverage, tasks
from social.models import Account, Announcement
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.fixtures.providers.mastodon import MastodonServer

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"


def _policy() -> Policy:
    policy = Policy.objects.create(name="X", calendar=Calendar.objects.get(name="12x5"))
    for target in ("first_response", "next_response"):
        for priority in ("urgent", "high", "normal", "low"):
            Goal.objects.create(policy=policy, target=target, priority=priority, seconds=1800)
    return policy


def test_a_lane_says_who_covers_what_waits_and_where_nobody_is_planned(
    account: Account, company: Company, at: datetime
) -> None:
    schedule = Schedule.objects.order_by("pk")[0]
    empty = Schedule.objects.create(name="Social", timezone="Europe/Berlin", fallback=company.linus)
    checks = [time(8), time(12), time(17)]
    Account.objects.update(policy=_policy(), schedule=schedule, coverage="several", checks=checks)
    account.refresh_from_db()
    seen = by_hand.Pasted("https://m.example/1", "maria", "Is web14 down?", at)
    thread = by_hand.log(account, seen, company.ada, at=at)

    (lane,) = coverage.lanes(company.grace, at=at + HOUR)
    assert lane.who and lane.is_covered_now and lane.goal_seconds == 1800
    assert (lane.waiting.count, lane.waiting.conversation) == (1, thread.pk)
    assert lane.waiting.due_at == at + HOUR / 2, "half an hour of the covered hours"
    assert lane.next_check == at + 3 * HOUR, "12:00 in Berlin"

    Account.objects.update(schedule=empty)
    (lane,) = coverage.lanes(company.grace, at=at)
    assert (lane.who, lane.fallback) == (None, company.linus.name)
    assert len(lane.gaps) == 11 and all(gap.end - gap.start <= 12 * HOUR for gap in lane.gaps), "weekdays, 12 hours"
    night = at.replace(hour=22)
    (lane,) = coverage.lanes(company.grace, at=night)
    assert not lane.is_covered_now and lane.opens_at == at.replace(hour=7) + 24 * HOUR
    page = logged_in(company.grace).get("/desk/coverage/").content.decode()
    assert "Demo on Mastodon" in page and "would be asked" in page


def _sent(**more: object) -> dict[str, object]:
    return {"text": "We have a new data centre.", "link": "", "publish_at": "", "do": "now", **more}


def test_an_announcement_is_previewed_written_read_by_another_and_withdrawn(account: Account, company: Company) -> None:
    ada, grace = logged_in(company.ada), logged_in(company.grace)
    Account.objects.update(needs_approval=True)
    new = "/desk/announcements/new/"
    shown = ada.post(new, _sent(accounts=[account.pk], do="preview")).content.decode()
    assert "26 / 500" in shown and not Announcement.objects.exists()
    refused = ada.post(new, _sent(accounts=[account.pk], text="Ask carol@acme.example"))
    assert refused.status_code == 422 and "an e-mail address" in refused.content.decode()
    own = {f"text_{account.pk}": "x" * 501}
    assert "501 of 500" in ada.post(new, _sent(accounts=[account.pk], **own)).content.decode()
    assert ada.post(new, _sent(do="now")).status_code == 422, "it goes somewhere"
    assert ada.post(new, _sent(accounts=[account.pk], do="schedule")).status_code == 422, "at some time"

    assert ada.post(new, _sent(accounts=[account.pk])).status_code == 302
    made = Announcement.objects.get()
    where = f"/desk/announcements/{made.pk}/"
    assert made.state == "waiting" and "Somebody else has to read it" in ada.get(where).content.decode()
    ada.post(f"{where}approval/")
    grace.post(f"{where}edit/", _sent(accounts=[account.pk], text="Better words", do="draft"))
    made.refresh_from_db()
    assert (made.state, made.text) == ("draft", "Better words")
    ada.post(f"{where}withdrawal/")
    made.refresh_from_db()
    assert made.state == "withdrawn"
    assert "Better words" in grace.get("/desk/announcements/").content.decode()


def test_what_did_not_leave_is_sent_again_or_marked_from_the_page(
    account: Account, mastodon: MastodonServer, company: Company
) -> None:
    browser, at = logged_in(company.ada), timezone.now()
    accounts.set_state(account.pk, Account.State.NOT_CONNECTED, "", at=at)
    made = announcing.write("Hello", [account], company.ada, at=at)
    announcing.submit(made.pk, publish_at=at)
    announcing.announce_due(at=at)
    post = made.posts.get()
    page = browser.get(f"/desk/announcements/{made.pk}/").content.decode()
    assert "Not connected" in page and "I posted it by hand" in page
    browser.post(f"/desk/announcements/posts/{post.pk}/retry/")
    post.refresh_from_db()
    assert post.state == "pending"
    announcing.announce_due(at=timezone.now())
    browser.post(f"/desk/announcements/posts/{post.pk}/posted/", {"url": "javascript:alert(1)"})
    browser.post(f"/desk/announcements/posts/{post.pk}/posted/", {"url": "https://m.example/@us/1"})
    post.refresh_from_db()
    assert (post.state, post.url) == ("sent", "https://m.example/@us/1")


def sent() -> list[str]:
    return [one.read_text() for one in sorted(Path(settings.SENT_MAIL_DIR).glob("*.eml"))]


def test_a_dead_token_is_told_to_the_admins_once_and_counted(
    account: Account, mastodon: MastodonServer, company: Company
) -> None:
    at = timezone.now()
    mastodon.token = "another"
    tasks.check_accounts()
    tasks.check_accounts()
    account.refresh_from_db()
    assert account.state == "reauth_required"
    outbox.drain(timezone.now())
    (letter,) = sent()
    assert "To: ada@demo.example" in letter and "Connect again" in letter
    text = metrics.exposition(at).decode()
    assert 'helpdesk_social_accounts{network="mastodon",state="reauth_required"} 1.0' in text

    mastodon.token = "mastodon-token"
    tasks.check_accounts()
    connecting.pause(account, at=at)
    outbox.drain(timezone.now())
    assert len(sent()) == 1, "who pauses it knows"
    account.refresh_from_db()
    assert connecting.resume(account, at=at) and not connecting.resume(account, at=at)


def test_viewers_read_and_write_nothing(account: Account, company: Company) -> None:
    company.grace.role = "viewer"
    company.grace.save()
    browser: Client = logged_in(company.grace)
    assert browser.get("/desk/announcements/").status_code == 200
    assert browser.get("/desk/announcements/new/").status_code == 403
    assert browser.post("/desk/announcements/new/", _sent(accounts=[account.pk])).status_code == 403
