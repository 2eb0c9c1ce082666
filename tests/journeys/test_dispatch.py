"""The mission's first story: mail at nine, nobody takes it, at ten the pager rings."""

from datetime import datetime, timedelta

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.actors import Actor
from helpdesk.oncall.models import Page
from helpdesk.sla import sweep
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, raw_mail, settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_mail_at_nine_and_at_ten_the_pager_rings(company: Company, send_mail: Send, at: datetime) -> None:
    mail = send_mail(raw_mail(text="The site on c01 is slow."), at=at)
    conversation = Conversation.objects.get(pk=mail.conversation_id)
    assert conversation.customer == company.carol
    assert [tag.name for tag in conversation.tags.all()] == ["c01"]
    dispatch = Clock.objects.get(conversation=conversation, target="dispatch")
    assert dispatch.due_at == at + timedelta(hours=1)
    settle(at)

    sweep.sweep(at + timedelta(minutes=59))
    settle(at + timedelta(minutes=59))
    assert not Page.objects.exists()

    ten = at + timedelta(hours=1, seconds=1)
    assert sweep.sweep(ten) == 1
    settle(ten)
    page = Page.objects.get()
    assert (page.state, page.urgency, page.reasons[0]["kind"]) == ("triggered", "high", "dispatch")

    changes = conversations.Changes(assignee=company.linus)
    conversations.change(conversation.pk, changes, actor=Actor.agent(company.linus), at=ten)
    settle(ten)
    page.refresh_from_db()
    assert page.state == "resolved"


def test_the_customer_is_told_at_once_what_to_expect(company: Company, send_mail: Send, at: datetime) -> None:
    mail = send_mail(raw_mail(), at=at)
    settle(at)
    message = Message.objects.get(conversation=mail.conversation_id, kind="outbound")
    assert message.delivery == "sent", message.error
    assert "within one business day" in message.text
    assert "Tuesday, 13 January 2026, 09:00 CET" in message.text
