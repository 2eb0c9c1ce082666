"""Beginning a conversation at the desk: writing to a customer first, or noting down what one asked for."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils.timezone import now

from helpdesk.conversations import opening
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team, User
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.fixtures.mailing import settle
from tests.fixtures.smtp_sink import SmtpSink
from tests.tickets.desk.ruling import rule

pytestmark = pytest.mark.django_db
PATH = "/desk/new/"


def _given(**more: object) -> dict[str, object]:
    given = {"kind": "write", "email": "Carol@acme.example", "subject": "Your certificate", "text": "It ends **soon**."}
    return {**given, "priority": "normal", "team": "", "client_id": str(uuid4()), **more}


@override_settings(UNDO_SEND_SECONDS=0)
def test_an_agent_writes_first(company: Company, smtp_sink: SmtpSink) -> None:
    browser, given = logged_in(company.grace), _given(uploads=SimpleUploadedFile("plan.txt", b"the plan"))
    answer = browser.post(PATH, given)
    begun = Conversation.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/desk/conversations/{begun.pk}/"
    settle(now() + timedelta(seconds=1))
    assert (begun.customer, begun.assignee, begun.status) == (company.carol, company.grace, "pending")
    assert not Clock.objects.filter(conversation=begun).exists(), "nothing was asked for, so nothing is promised"
    (sent,) = smtp_sink.taken
    assert sent.rcpt_to == ("carol@acme.example",), "it leaves, and no acknowledgement does"
    assert "Your certificate" in sent.mail["Subject"] and "demo.example" in sent.mail["From"]
    assert [part.get_filename() for part in sent.mail.iter_attachments()] == ["plan.txt"]
    page = browser.get(f"/desk/conversations/{begun.pk}/").content.decode()
    assert "wrote first" in page and "plan.txt" in page
    again = browser.post(PATH, {**given, "uploads": ""})
    assert again["Location"] == answer["Location"] and Message.objects.count() == 1, "sent twice, said once"


def test_an_answer_begins_the_clocks_as_ever(company: Company, at: datetime) -> None:
    given = opening.Opening(text="Hello", customer=company.carol.pk, subject="Hello")
    pk, _is_new = opening.begin_conversation(given, company.grace, at=at)
    write(company.carol, at, subject="Re: Hello", conversation_id=pk)
    targets = set(Clock.objects.filter(conversation=pk).values_list("target", flat=True))
    assert "first_response" in targets or "next_response" in targets
    assert Conversation.objects.get(pk=pk).status == "open"


def test_rules_and_webhooks_hear_of_it(company: Company, at: datetime) -> None:
    rule("conversation.begun", [{"do": "add_tags", "value": ["ours"]}], at)
    given = opening.Opening(text="Hello", customer=company.carol.pk, subject="Hello")
    pk, _is_new = opening.begin_conversation(given, company.grace, at=at)
    settle(at)
    assert Conversation.objects.get(pk=pk).tags.filter(name="ours").exists()
    assert "helpdesk.conversations.telling.tell_webhooks" in settings.EVENT_HANDLERS[opening.BEGUN]


def test_it_can_be_taken_back_for_a_moment(company: Company, smtp_sink: SmtpSink) -> None:
    browser = logged_in(company.grace)
    answer = browser.post(PATH, _given())
    assert "?sent=" in answer["Location"]
    browser.post(f"/desk/messages/{Message.objects.get().pk}/return/")
    settle(now() + timedelta(minutes=1))
    assert not smtp_sink.taken and "It ends **soon**." in browser.get(answer["Location"]).content.decode()


def test_what_was_asked_by_word_of_mouth_counts_like_a_request(company: Company) -> None:
    photo = SimpleUploadedFile("rack.txt", b"the rack")
    told = _given(kind="note_down", email="new@stranger.example", name="Nora", uploads=photo)
    browser = logged_in(company.grace)
    browser.post(PATH, told)
    noted = Conversation.objects.get()
    assert (noted.channel, noted.status, noted.customer.name) == ("form", "new", "Nora")
    page = browser.get(f"/desk/conversations/{noted.pk}/").content.decode()
    assert "rack.txt" in page and f"Noted down by {company.grace.name}" in page
    assert Clock.objects.filter(conversation=noted, target="first_response").exists()


def test_who_may_begin_what(company: Company) -> None:
    viewer = User.objects.create_user("v@demo.example", "demo", role=User.Role.VIEWER)
    assert logged_in(viewer).post(PATH, _given()).status_code == 403
    hidden = Team.objects.create(name="Board", is_private=True)
    browser = logged_in(company.linus)
    assert browser.post(PATH, _given(team=hidden.pk)).status_code == 422
    assert "Board" not in browser.get(PATH).content.decode()
    company.carol.blocked_at = now()
    company.carol.save()
    assert "blocked" in browser.post(PATH, _given()).content.decode()
    wrong = browser.post(PATH, _given(email="nobody", subject=""))
    assert wrong.status_code == 422 and "It ends **soon**." in wrong.content.decode(), "nothing typed is lost"
    assert not Conversation.objects.exists()


def test_the_way_there(company: Company) -> None:
    browser = logged_in(company.grace)
    assert PATH in browser.get("/desk/").content.decode()
    assert f"{PATH}?customer={company.carol.pk}" in browser.get(f"/desk/customers/{company.carol.pk}/").content.decode()
    assert 'value="carol@acme.example"' in browser.get(f"{PATH}?customer={company.carol.pk}").content.decode()
