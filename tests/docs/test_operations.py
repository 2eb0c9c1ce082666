"""The calls docs/operations.md shows are what the API takes."""

import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.customers import actions as customers
from helpdesk.customers.models import User
from helpdesk.oncall.models import EscalationPolicy
from tests.docs.pages import blocks, page
from tickets.models import ImapAccount, Mailbox

CALL = re.compile(r"^add ([a-z-]+) '(.+)'$", re.MULTILINE)


@pytest.mark.django_db
def test_the_calls_set_up_an_empty_helpdesk() -> None:
    ada = User.objects.create_superuser("ada@example.org", "correct horse battery")
    headers = {"Authorization": f"Token {customers.create_token(ada, at=timezone.now())}"}
    calls = CALL.findall("\n".join(blocks(page("docs/operations.md"), "sh")))
    assert [name for name, _ in calls] == ["mailboxes", "schedules", "escalation-policies", "imap-accounts"]
    for name, body in calls:
        answer = Client().post(f"/api/v1/{name}/", json.loads(body), content_type="application/json", headers=headers)
        assert answer.status_code == 201, (name, answer.content)
    assert Mailbox.objects.get().is_default and EscalationPolicy.objects.get().is_default
    assert ImapAccount.objects.get().mailbox == Mailbox.objects.get()
