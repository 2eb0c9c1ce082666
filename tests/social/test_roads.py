"""What is said on a network takes one road, whoever asks for it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.answers import DELIVER
from helpdesk.customers.actions import create_token
from helpdesk.events.models import OutboxEntry
from helpdesk.events.outcomes import NeverRetry
from helpdesk.oncall import paging
from helpdesk.oncall.models import Urgency
from social.channel import SocialChannel
from social.models import Account, Approval
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.social.talk import account_on, said_to
from tickets.desk import bulk, macros, steps
from tickets.desk.models import Macro

pytestmark = pytest.mark.django_db


def test_whoever_writes_takes_the_same_road(company: Company, at: datetime) -> None:
    """A macro, a form for many, the API, a page's box and a rule: counted, guarded, delayed and read."""
    x = account_on("x", at, send_delay=60)
    conversation = said_to(x, "Hi", at)
    macro = Macro.objects.create(name="m", actions=[], updated_at=at)
    for text, why in (("Call 0151 2345 6789", "stand in public"), ("x" * 300, "too long")):
        Macro.objects.update(actions=[{"do": "reply", "value": text}])
        macro.refresh_from_db()
        with pytest.raises(steps.CannotDo, match=why):
            macros.apply(macro, conversation.pk, company.grace, at=at)
        with pytest.raises(steps.CannotDo, match=why):
            steps.do(conversation.pk, macro.actions, steps.Doer(None), at=at)
        with pytest.raises(conversations.Refused, match=why):
            conversations.answer(conversation, company.grace, text, at=at)
        many = bulk.run(company.grace, [conversation.pk], bulk.Asked(reply=text), client_id=uuid4(), at=at)
        assert (many.items.get().outcome, why in many.items.get().why) == ("skipped", True)
    said = [{"do": "reply", "value": "All is well."}]
    for doer in (steps.Doer(company.grace), steps.Doer(None)):
        steps.do(conversation.pk, said, doer, at=at)
    leaves = {entry.due_at - at for entry in OutboxEntry.objects.filter(event__kind="message.written", handler=DELIVER)}
    assert leaves == {timedelta(seconds=60)}

    Account.objects.update(needs_approval=True)
    kept = conversation.messages.count()
    steps.do(conversation.pk, said, steps.Doer(company.grace), at=at)
    many = bulk.run(company.grace, [conversation.pk], bulk.Asked(reply="Soon."), client_id=uuid4(), at=at)
    assert (many.items.get().outcome, "second person" in many.items.get().why) == ("done", True)
    with pytest.raises(steps.CannotDo, match="no rule says it"):
        steps.do(conversation.pk, said, steps.Doer(None), at=at)
    reason = paging.Reason("dispatch", "Nobody has taken it", at)
    page = paging.trigger("k", reason, urgency=Urgency.HIGH, summary="Look", at=at, conversation_id=conversation.pk)
    told = "Our password is hunter2secret!"
    answer = logged_in(company.ada).post(reverse("tickets:acknowledge_page", args=[page.pk]), {"handling": told})
    page.refresh_from_db()
    assert (answer.status_code, page.state) == (302, "acknowledged")
    assert (conversation.messages.count(), Approval.objects.count()) == (kept, 2)


def test_what_comes_past_the_composer_is_held_back_as_well(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at, needs_approval=True), "Hi", at)
    by_macro = conversations.reply(conversation.pk, company.grace, "All is well.", at=at)
    with pytest.raises(NeverRetry, match="second person"):
        SocialChannel().prepare(by_macro, at=at)
    Account.objects.update(needs_approval=False)
    leaking = conversations.reply(conversation.pk, company.grace, "Call 0151 2345 6789", at=at)
    with pytest.raises(NeverRetry, match="stand in public"):
        SocialChannel().prepare(leaking, at=at)


def test_the_api_says_what_became_of_it(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at), "Hi", at)
    path = f"/api/v1/conversations/{conversation.pk}/messages/"
    client = Client(headers={"authorization": f"Token {create_token(company.grace, at=at)}"})

    def say(text: str) -> Any:
        return client.post(path, {"kind": "outbound", "text": text}, content_type="application/json")

    refused = say("Call 0151 2345 6789")
    assert (refused.status_code, "stand in public" in refused.content.decode()) == (400, True)
    assert say("All is well.").status_code == 201
    Account.objects.update(needs_approval=True)
    waits = say("We are on it.")
    assert (waits.status_code, "second person" in waits.json()["detail"]) == (202, True)
    assert Approval.objects.get().text == "We are on it."
    assert conversation.messages.filter(kind="outbound").count() == 1
