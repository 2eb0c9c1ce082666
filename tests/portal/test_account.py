"""The customer's own account: passwords, ways to be known, data handed out, being forgotten."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core.files.storage import default_storage
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from helpdesk.conversations.channel import File
from helpdesk.conversations.files import path_of
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers import actions as customers
from helpdesk.customers.models import AuditEntry, CustomerSession, Identity
from helpdesk.events.models import Event
from knowledge import articles
from knowledge import files as knowledge_files
from portal import erasing, exporting, linking, passwords
from portal.models import Erasure, Export, Linking, WrongPasswords
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.fixtures.mailing import settle
from tests.portal.conftest import SignedIn

pytestmark = pytest.mark.django_db
SOON = timedelta(seconds=1)


def test_a_wrong_password_does_the_same_for_everybody(
    company: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    passwords.set_password(company.carol, "a good long one", at=now())
    seen = []
    for address in ("carol@acme.example", "gil@globex.example", "nobody@nowhere.example"):
        with django_assert_num_queries(2) as ran:
            answer = Client().post("/portal/sign-in/password/", {"email": address, "password": "x"})
        statements = [re.sub(r"'[^']*'", "?", one["sql"]) for one in ran.captured_queries]
        seen.append((statements, re.sub(r'value="[^"]+"', "", answer.content.decode())))
    assert seen[0] == seen[1] == seen[2]
    assert "nowhere" not in str(list(WrongPasswords.objects.values()))
    assert passwords.forget_ended(at=now()) == 0
    assert passwords.forget_ended(at=now() + passwords.FAILED_WINDOW + SOON) == 3


def test_a_password_is_set_used_and_locked(company: Company, signed_in: SignedIn) -> None:
    browser = signed_in(company.carol)
    assert browser.post("/portal/account/password/", {"password": "short"}).status_code == 422
    assert browser.post("/portal/account/password/", {"password": "a good long one"}).status_code == 302
    given = {"email": "Carol@acme.example", "password": "a good long one"}
    assert Client().post("/portal/sign-in/password/", given).status_code == 302
    wrong = {**given, "password": "another long one"}
    pages = {Client().post("/portal/sign-in/password/", wrong).status_code for _ in range(passwords.MOST_FAILED)}
    assert pages == {422}
    assert Client().post("/portal/sign-in/password/", given).status_code == 422, "locked for the right one as well"
    assert passwords.check("carol@acme.example", "a good long one", remote="x", at=now()) is None
    later = now() + passwords.FAILED_WINDOW + SOON
    assert passwords.check("carol@acme.example", "a good long one", remote="y", at=later) == company.carol
    # A stranger is refused in the same way.
    unknown = {"email": "no@where.example", "password": "x"}
    assert Client().post("/portal/sign-in/password/", unknown).status_code == 422
    settle(now() + SOON)
    assert [(one.subject, one.to) for one in outbox.outbox if "password" in one.subject] == [
        ("Your password was changed", ["carol@acme.example"])
    ]
    browser.post("/portal/account/password/", {"remove": "1"})
    settle(now() + SOON)
    assert "was removed" in str(outbox.outbox[-1].body)
    assert passwords.check("carol@acme.example", "a good long one", remote="z", at=later) is None


def test_an_address_is_linked_by_the_code_mailed_there(company: Company, signed_in: SignedIn) -> None:
    browser = signed_in(company.carol)
    browser.post("/portal/account/addresses/", {"address": "Carol@Home.example"})
    settle(now() + SOON)
    assert outbox.outbox[-1].to == ["carol@home.example"]
    code = re.search(r"LINK-\w{4}-\w{4}", str(outbox.outbox[-1].body))
    row = Linking.objects.get()
    assert code and code[0] not in str(list(Event.objects.values())) + str(list(Linking.objects.values()))
    path = f"/portal/account/addresses/{row.pk}/"
    assert browser.post(path, {"code": "LINK-AAAA-AAAA"}).status_code == 422
    assert browser.post(path, {"code": code[0].lower().replace("-", " ")}).status_code == 302
    made = Identity.objects.get(handle="carol@home.example")
    assert made.customer == company.carol and made.verified_at is not None
    assert browser.post(path, {"code": code[0]}).status_code == 422, "once"
    # Five wrong ones, and the right one comes too late.
    row = linking.ask_for_address(company.carol, "other@home.example", at=now())
    for _ in range(5):
        with pytest.raises(linking.NotGood):
            linking.confirm_address(company.carol, row.pk, "LINK-AAAA-AAAA", at=now())
    with pytest.raises(linking.NotGood):
        linking.confirm_address(company.carol, row.pk, linking._code_of(row), at=now())


def test_another_customers_address_is_not_taken_over(company: Company) -> None:
    row = linking.ask_for_address(company.carol, "gil@globex.example", at=now())
    Identity.objects.filter(customer=company.gil).update(handle="gil@globex.example")
    with pytest.raises(linking.Taken):
        linking.confirm_address(company.carol, row.pk, linking._code_of(row), at=now())
    assert Identity.objects.get(handle="gil@globex.example").customer == company.gil


def test_an_account_on_a_network_is_claimed_with_all_it_said(company: Company) -> None:
    at = now()
    stub = customers.find_or_create_customer("telegram", "4711", "carol_m", at=at)
    said = write(stub, at, subject="From Telegram")
    code = linking.code_for(company.carol, at=at)
    assert linking.claim("hello there", "telegram", "4711", at=at) is None
    assert linking.claim(f"my code: {code}", "telegram", "4711", at=at + linking.LASTS) is None
    assert linking.claim(f"my code: {code}", "telegram", "4711", at=at) == company.carol
    assert linking.claim(code, "telegram", "4712", at=at) is None, "once"
    said.refresh_from_db()
    assert said.customer == company.carol and Message.objects.get(conversation=said).customer == company.carol
    assert Identity.objects.get(channel="telegram").customer == company.carol


def test_data_is_packed_mailed_and_gone(company: Company, signed_in: SignedIn) -> None:
    ticket = write(company.carol, now(), subject="Mine", files=(File("plan.txt", "text/plain", b"the plan"),))
    write(company.gil, now(), subject="Foreign secret")
    browser = signed_in(company.carol)
    browser.post("/portal/account/export/")
    browser.post("/portal/account/export/")
    assert Export.objects.count() == 1
    settle(now() + SOON)
    link = re.search(r"/portal/exports/\S+", str(outbox.outbox[-1].body))
    assert link
    packed = zipfile.ZipFile(io.BytesIO(b"".join(browser.get(link[0]))))
    data = json.loads(packed.read("data.json"))
    assert data["customer"]["email"] == "carol@acme.example"
    assert [one["subject"] for one in data["conversations"]] == ["Mine"] and "Foreign" not in str(data)
    (name,) = [name for name in packed.namelist() if name.startswith("files/")]
    assert name.startswith(f"files/{ticket.pk}/") and packed.read(name) == b"the plan"
    assert signed_in(company.gil).get(link[0]).status_code == 404
    path = Export.objects.get().path
    assert exporting.forget_ended(at=now() + timedelta(days=8)) == 1
    assert not default_storage.exists(path) and browser.get(link[0]).status_code == 404


def test_being_forgotten_waits_a_week_and_is_confirmed_by_an_admin(
    company: Company, signed_in: SignedIn, django_capture_on_commit_callbacks: object
) -> None:
    file = File("face.txt", "text/plain", b"only hers")
    guide = File("guide.txt", "text/plain", b"everybody's")
    ticket = write(company.carol, now(), subject="Carol's secret", text="my secret", files=(file, guide))
    stored, shared = (path_of(one.sha256) for one in Attachment.objects.order_by("pk"))
    article = articles.create(articles.Text("Guide", "How it is done."), author=company.ada, at=now())
    knowledge_files.add(article, guide, by=company.ada, at=now())
    browser = signed_in(company.carol)
    assert browser.post("/portal/account/erasure/").status_code == 422, "it must be ticked"
    browser.post("/portal/account/erasure/", {"sure": "1"})
    settle(now() + SOON)
    link = re.search(r"/portal/keep/\S+", str(outbox.outbox[-1].body))
    assert link and Client().get(link[0]).status_code == 200 and Erasure.objects.exists()
    assert Client().post(link[0]).status_code == 200 and not Erasure.objects.exists()
    assert Client().post(link[0]).status_code == 410, "once"

    browser.post("/portal/account/erasure/", {"sure": "1"})
    admin = logged_in(company.ada)
    confirm = f"/desk/settings/erasures/{company.carol.pk}/delete/"
    assert admin.post(confirm).status_code == 422, "the week is not over"
    Erasure.objects.update(due_at=now() - SOON, asked_at=now() - timedelta(days=8))
    assert logged_in(company.linus).post(confirm).status_code == 403
    assert admin.post(confirm).status_code == 302
    company.carol.refresh_from_db()
    ticket.refresh_from_db()
    assert (company.carol.name, company.carol.email, ticket.subject) == ("", "", erasing.ERASED)
    assert not Identity.objects.filter(customer=company.carol).exists()
    assert not CustomerSession.objects.filter(customer=company.carol).exists()
    settle(now() + SOON)
    assert not Attachment.objects.exists() and not default_storage.exists(stored)
    assert default_storage.exists(shared), "an article has it as well"
    assert "secret" not in str(list(Message.objects.values())) + str(list(Conversation.objects.values()))
    assert Event.objects.filter(conversation=ticket, kind="conversation.opened").exists(), "that it was, stays"
    assert AuditEntry.objects.filter(action="erased", actor=company.ada).exists()
    assert b'type="email"' in browser.get("/portal/").content


def test_mails_that_are_not_wanted_do_not_come(company: Company, signed_in: SignedIn) -> None:
    signed_in(company.carol).post("/portal/account/mails/", {"wanted": ["rating"]})
    company.carol.refresh_from_db()
    assert company.carol.unwanted_mails == ["received", "sign_in"]


def test_sessions_end_one_by_one_and_all(company: Company, signed_in: SignedIn) -> None:
    browser = signed_in(company.carol)
    at = now()
    other = CustomerSession.objects.create(
        customer=company.carol, digest="e" * 64, how="code", began_at=at, seen_at=at, ends_at=at + timedelta(days=1)
    )
    browser.post(f"/portal/account/sessions/{other.pk}/end/")
    assert CustomerSession.objects.count() == 1
    assert browser.post("/portal/account/sessions/end/")["Location"] == "/portal/"
    assert CustomerSession.objects.count() == 0


def test_of_a_dashboards_user_the_id_is_shown(company: Company, signed_in: SignedIn) -> None:
    Identity.objects.create(customer=company.carol, channel="site", handle="37:customer-4711", verified_at=now())
    page = signed_in(company.carol).get("/portal/account/").content.decode()
    assert ">customer-4711<" in page and "37:" not in page and "Dashboard" in page
