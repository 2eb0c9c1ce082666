"""Who may open which settings: every address there is, so that a new page cannot be forgotten."""

from datetime import datetime

import pytest
from django.test import Client

from helpdesk.customers.models import User
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.tickets.settings.rows import SETTINGS, address, fill, key_of

# What everybody on the desk has for themselves. Whatever is not named here is the admin's.
OWN = {"settings", "profile", "alerts", "notifications", "canned", "macros", "tokens"}
# What changes something and has no page of its own.
POSTS = {
    "settings_accounts_test", "settings_agents_invitation", "settings_agents_login_reset", "settings_calendars_country",
    "settings_calendars_ical", "settings_calendars_feed", "settings_schedules_stand_down", "settings_webhooks_test",
    "settings_webhooks_rotation", "settings_webhooks_replay", "settings_widgets_secret", "settings_widgets_rotation",
    "settings_widgets_secret_removal", "settings_signals_renewal", "settings_phone_testing",
    "settings_social_test", "settings_social_pause", "settings_social_resume",
}  # fmt: skip
WRITES_OWN = {"canned", "macros"}


def test_the_settings_are_many() -> None:
    assert len(SETTINGS) > 90


def test_an_admin_opens_all_of_it(company: Company, at: datetime) -> None:
    rows, browser = fill(company.ada, at), logged_in(company.ada)

    wrong = {
        str(pattern.name): code
        for pattern in SETTINGS
        if (code := browser.get(address(pattern, rows)).status_code) != (405 if pattern.name in POSTS else 200)
    }
    assert wrong == {}


@pytest.mark.parametrize("role", [User.Role.AGENT, User.Role.VIEWER])
def test_others_open_only_their_own(role: str, company: Company, at: datetime) -> None:
    rows = fill(company.grace, at)
    User.objects.filter(pk=company.grace.pk).update(role=role)
    browser = logged_in(company.grace)

    wrong = {}
    for pattern in SETTINGS:
        is_own, where = key_of(pattern) in OWN, address(pattern, rows)
        # Viewers keep nothing: they read what others keep.
        keeps = key_of(pattern) in WRITES_OWN and str(pattern.name).endswith(("_new", "_delete"))
        expected = 200 if is_own and not (keeps and role == User.Role.VIEWER) else 403
        codes = [browser.get(where).status_code] + ([] if is_own else [browser.post(where).status_code])
        if codes != [expected] * len(codes):
            wrong[str(pattern.name)] = codes
    assert wrong == {}


def test_a_stranger_logs_in_first(client: Client, company: Company, at: datetime) -> None:
    rows = fill(company.ada, at)

    wrong = {}
    for pattern in SETTINGS:
        for ask in (client.get, client.post):
            answer = ask(address(pattern, rows))
            if answer.status_code != 302 or not answer["Location"].startswith("/desk/login/?next="):
                wrong[str(pattern.name)] = answer.status_code
    assert wrong == {}


def test_no_login_form_lands_in_a_list(client: Client, company: Company, at: datetime) -> None:
    rows = fill(company.ada, at)

    codes = {client.get(address(one, rows), headers={"HX-Request": "true"}).status_code for one in SETTINGS}
    assert codes == {401}


def test_an_agent_who_left_opens_nothing(company: Company, at: datetime) -> None:
    rows, browser = fill(company.ada, at), logged_in(company.ada)
    User.objects.filter(pk=company.ada.pk).update(is_active=False)

    codes = {ask(address(one, rows)).status_code for one in SETTINGS for ask in (browser.get, browser.post)}
    assert codes == {302}


def test_a_viewer_changes_nothing_that_is_kept(company: Company, at: datetime) -> None:
    rows = fill(company.grace, at)
    User.objects.filter(pk=company.grace.pk).update(role=User.Role.VIEWER)
    browser = logged_in(company.grace)

    for key in sorted(WRITES_OWN):
        assert browser.post(f"/desk/settings/{key}/{rows[key]}/", {"name": "Other"}).status_code == 403
        assert browser.post(f"/desk/settings/{key}/{rows[key]}/delete/").status_code == 403


@pytest.mark.parametrize("key", ["notifications", "tokens", "canned", "macros"])
def test_what_is_mine_is_not_yours(key: str, company: Company, at: datetime) -> None:
    rows = fill(company.grace, at)
    browser = logged_in(company.ada)

    for pattern in SETTINGS:
        if key_of(pattern) == key and "<int:pk>" in str(pattern.pattern):
            assert browser.get(address(pattern, rows)).status_code == 404
            assert browser.post(address(pattern, rows)).status_code == 404


def test_the_menu_shows_what_one_may_open(company: Company) -> None:
    seen = logged_in(company.grace).get("/desk/settings/").content.decode()

    assert "/desk/settings/profile/" in seen
    assert "/desk/settings/mailboxes/" not in seen
    assert "/desk/settings/mailboxes/" in logged_in(company.ada).get("/desk/settings/").content.decode()
