"""An account on a network becomes a customer's own by a code of the portal, said in private."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Identity
from helpdesk.events import outbox
from portal import linking
from social.models import Account, Arrival, Person, Post
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.fixtures.providers.telegram import TelegramServer
from tests.portal.conftest import SignedIn
from tests.portal.conftest import signed_in as signed_in
from tests.social.talk import account_on, poll_all, said_to

pytestmark = pytest.mark.django_db
CAROL = 7


def test_a_code_sent_in_private_makes_the_account_the_customers(
    bot: Account, telegram: TelegramServer, company: Company, at: datetime
) -> None:
    telegram.write(CAROL, "My site is down", at)
    poll_all(at + timedelta(minutes=1))
    outbox.drain(at + timedelta(minutes=1))
    before = Conversation.objects.get()
    assert before.customer != company.carol
    telegram.calls.clear()
    code = linking.code_for(company.carol, at=at + timedelta(minutes=1))
    telegram.write(CAROL, f"/start {code}", at + timedelta(minutes=2))
    poll_all(at + timedelta(minutes=3))
    outbox.drain(at + timedelta(minutes=3))
    before.refresh_from_db()
    assert before.customer == company.carol, "what was said before is hers as well"
    assert Person.objects.get(account=bot).customer == company.carol
    assert Identity.objects.get(channel="telegram").verified_at is not None
    assert before.messages.filter(kind="inbound").count() == 1, "a code is no request"
    (thanks,) = [body for method, body in telegram.calls if "yours with us" in str(body.get("text"))]
    assert str(thanks["chat_id"]) == str(CAROL)
    assert Arrival.objects.get(key__endswith=Post.objects.order_by("-pk")[0].external_id).state == "ignored"
    telegram.write(CAROL, "Is it up again?", at + timedelta(minutes=4))
    poll_all(at + timedelta(minutes=5))
    outbox.drain(at + timedelta(minutes=5))
    assert before.messages.filter(kind="inbound").count() == 2


def test_both_may_have_been_in_copy_of_the_same(company: Company, at: datetime) -> None:
    account = account_on("x", at)
    before = said_to(account, "Mine is down", at, is_public=False).customer
    both = write(company.gil, at)
    both.followers.add(before, company.carol)
    alone = write(company.gil, at)
    alone.followers.add(before)
    code = linking.code_for(company.carol, at=at)
    assert said_to(account, code, at, is_public=False, id="claims").customer == company.carol
    assert list(both.followers.all()) == list(alone.followers.all()) == [company.carol]


def test_a_code_in_public_or_a_wrong_one_links_nothing(company: Company, at: datetime) -> None:
    account = account_on("x", at)
    code = linking.code_for(company.carol, at=at)
    public = said_to(account, f"@demo my code is {code}", at)
    assert public.customer != company.carol
    private = said_to(account, "LINK-AAAA-AAAA", at, who="erin", is_public=False)
    assert private.customer != company.carol, "a wrong code is a message like any other"
    assert not Identity.objects.filter(customer=company.carol, channel="x").exists()


def test_an_account_that_is_somebody_elses_already_stays_theirs(company: Company, at: datetime) -> None:
    account = account_on("x", at)
    Identity.objects.create(customer=company.gil, channel="x", handle="id-gil", verified_at=at)
    code = linking.code_for(company.carol, at=at)
    conversation = said_to(account, code, at, who="gil", is_public=False)
    assert conversation.customer == company.gil


def test_the_portal_leads_to_the_networks_that_take_the_code(
    bot: Account, company: Company, signed_in: SignedIn
) -> None:
    page: Client = signed_in(company.carol)
    answer = page.post("/portal/account/codes/")
    assert answer.status_code == 200
    assert "https://t.me/demo_bot?start=LINK-" in answer.content.decode()
