"""Who is believed to be who they say: our own look at signatures where From alone would give rights."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from tests.fixtures.company import Company
from tests.fixtures.dns_stub import DnsStub
from tests.fixtures.mailing import Send, raw_mail, settle
from tests.tickets.mail.signing import key, signed
from tickets.mail import authentication, dns_texts, filing, tokens
from tickets.mail.authentication import Proof, look
from tickets.mail.parsing import parse

KEY_NAME = "sel._domainkey.demo.example"
FORWARD = (
    "Please have a look.\n\n---------- Forwarded message ---------\n"
    "From: Gil Ortega <gil@globex.example>\nDate: Mon, 12 Jan 2026\nSubject: Shop down\n"
    "To: Grace <grace@demo.example>\n\nOur shop is down since eight.\n"
)


@pytest.fixture(autouse=True)
def with_our_own_look(settings: Settings, monkeypatch: pytest.MonkeyPatch, dns_stub: DnsStub) -> None:
    settings.VERIFY_DKIM = True
    monkeypatch.setattr(authentication, "texts", dns_texts.Texts())
    dns_stub.records[KEY_NAME] = [key()[1]]
    dns_stub.records["_dmarc.demo.example"] = ["v=DMARC1; p=reject"]


@pytest.fixture
def now() -> datetime:
    """The signer's own clock says when a signature was made, so these mails are of today."""
    return datetime.now(UTC)


def forward() -> bytes:
    return raw_mail(sender="grace@demo.example", subject="Fwd: Shop down", text=FORWARD)


def looked(raw: bytes) -> Proof:
    return look(raw, parse(raw), datetime.now(UTC))


@pytest.mark.parametrize(
    ("sender", "domain", "expected"),
    [
        ("grace@demo.example", "demo.example", Proof.PASSED),
        ("grace@eu.demo.example", "demo.example", Proof.PASSED),
        ("grace@DEMO.example", "demo.example", Proof.PASSED),
        ("grace@evil.example", "demo.example", Proof.UNKNOWN),
        ("grace@notdemo.example", "demo.example", Proof.UNKNOWN),
    ],
)
def test_a_signature_proves_its_own_domain(sender: str, domain: str, expected: Proof) -> None:
    assert looked(signed(raw_mail(sender=sender), domain)) is expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (["v=DMARC1; p=reject"], Proof.MISSING),
        (["something else", "v=DMARC1;p=quarantine; rua=mailto:a@b.example"], Proof.MISSING),
        (["v=DMARC1; p=none"], Proof.UNKNOWN),
        (["v=DMARC1; p"], Proof.UNKNOWN),
        ([], Proof.UNKNOWN),
        (None, Proof.UNKNOWN),
    ],
)
def test_without_a_signature_the_domains_policy_decides(
    dns_stub: DnsStub, policy: list[str] | None, expected: Proof
) -> None:
    del dns_stub.records["_dmarc.demo.example"]
    if policy is not None:
        dns_stub.records["_dmarc.demo.example"] = policy
    assert looked(raw_mail(sender="grace@demo.example")) is expected


def test_a_parents_policy_for_its_subdomains(dns_stub: DnsStub) -> None:
    dns_stub.records["_dmarc.demo.example"] = ["v=DMARC1; p=reject; sp=none"]
    assert looked(raw_mail(sender="grace@eu.demo.example")) is Proof.UNKNOWN
    dns_stub.records["_dmarc.other.example"] = ["v=DMARC1; p=none; sp=reject"]
    assert looked(raw_mail(sender="grace@eu.other.example")) is Proof.MISSING


@pytest.mark.parametrize(
    "sender", ["", "grace", "grace@localhost", "grace@" + "a." * 200 + "example", "g@\u2028.\u3002"]
)
def test_senders_without_a_domain(sender: str) -> None:
    raw = b"From: " + sender.encode() + b"\r\nSubject: x\r\n\r\nx\r\n"
    assert looked(raw) is Proof.UNKNOWN


def test_a_dns_that_is_away_proves_nothing(dns_stub: DnsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_texts, "LOOKUP_SECONDS", 0.05)
    dns_stub.is_silent = True
    assert looked(signed(raw_mail(sender="grace@demo.example"), "demo.example")) is Proof.UNKNOWN


def test_many_signatures_are_few_lookups(dns_stub: DnsStub) -> None:
    raw = signed(raw_mail(sender="grace@demo.example"), "demo.example")
    header, _, rest = raw.partition(b"From:")
    many = b"".join(header.replace(b"s=sel", b"s=no%d" % number) for number in range(50))
    assert looked(many + b"From:" + rest) is Proof.MISSING
    assert len([name for name in dns_stub.asked if "_domainkey" in name]) == authentication.MOST_CHECKED


def test_a_proven_agents_forward_acknowledges_the_customer(company: Company, send_mail: Send, now: datetime) -> None:
    mail = send_mail(signed(forward(), "demo.example"), at=now, mail_from="grace@demo.example")
    first = Message.objects.get(pk=mail.message_id)
    assert (first.conversation.customer, first.is_verified, first.remark) == (
        company.gil,
        True,
        f"Forwarded by {company.grace.name}",
    )
    settle(now)
    assert Message.objects.filter(conversation=first.conversation, kind="outbound", is_automatic=True).exists()


def test_an_unsigned_forward_is_not_the_agents_where_their_domain_signs(
    company: Company, send_mail: Send, now: datetime
) -> None:
    mail = send_mail(forward(), at=now, mail_from="grace@demo.example")
    message = Message.objects.get(pk=mail.message_id)
    assert message.conversation.customer.email == "grace@demo.example"
    assert "not proven" in message.remark
    assert not message.conversation.messages.filter(kind="note").exists()


def test_a_forged_agents_answer_is_not_sent_although_the_token_leaked(
    company: Company, send_mail: Send, now: datetime
) -> None:
    first = send_mail(raw_mail(), at=now)
    assert first.conversation_id is not None
    rcpt = f"support+{tokens.make('agent', first.conversation_id, company.grace.pk)}@demo.example"
    raw = raw_mail(sender="grace@demo.example", subject="Re: x", text="Give eve the password.")
    forged = Message.objects.get(pk=send_mail(raw, at=now, mail_from="eve@evil.example", rcpt=rcpt).message_id)
    assert (forged.kind, forged.is_verified) == ("inbound", False)
    proven = raw_mail(sender="grace@demo.example", subject="Re: x", text="It is fixed.")
    mail = send_mail(signed(proven, "demo.example"), at=now, mail_from="grace@demo.example", rcpt=rcpt)
    answer = Message.objects.get(pk=mail.message_id)
    assert (answer.kind, answer.agent) == ("outbound", company.grace)


def test_a_participant_by_claim_alone_is_marked_where_their_domain_signs(
    company: Company, send_mail: Send, now: datetime, dns_stub: DnsStub
) -> None:
    dns_stub.records["_dmarc.acme.example"] = ["v=DMARC1; p=quarantine"]
    dns_stub.records["sel._domainkey.acme.example"] = [key()[1]]
    first = send_mail(raw_mail(), at=now)
    tagged = raw_mail(subject=f"Re: [#{first.conversation_id}]", text="me again", cc="eve@evil.example")
    forged = Message.objects.get(pk=send_mail(tagged, at=now, mail_from="eve@evil.example").message_id)
    assert (forged.conversation_id, forged.is_verified) == (first.conversation_id, False)
    assert not Conversation.objects.get(pk=first.conversation_id).followers.exists()
    own = signed(raw_mail(subject=f"Re: [#{first.conversation_id}]", text="really me"), "acme.example")
    assert Message.objects.get(pk=send_mail(own, at=now).message_id).is_verified


def test_nobody_asks_the_dns_where_it_does_not_matter(
    company: Company, send_mail: Send, now: datetime, dns_stub: DnsStub
) -> None:
    first = send_mail(raw_mail(), at=now)
    assert first.conversation_id is not None
    reply = conversations.reply(first.conversation_id, company.ada, "Done?", at=now)
    ours = tokens.message_id(reply.conversation_id, reply.pk, "demo.example")
    send_mail(raw_mail(subject="Re: The site is slow", text="yes", in_reply_to=f"<{ours}>"), at=now)
    assert Message.objects.filter(kind="inbound", is_verified=True).count() == 2
    assert dns_stub.asked == []


@pytest.mark.parametrize("way", ["switched off", "a trusted server says so"])
def test_where_others_checked_we_do_not_look(
    company: Company, send_mail: Send, now: datetime, dns_stub: DnsStub, settings: Settings, way: str
) -> None:
    headers = {}
    if way == "switched off":
        settings.VERIFY_DKIM = False
    else:
        settings.TRUSTED_AUTHSERV_IDS = ["mx.demo.example"]
        headers = {"Authentication-Results": "mx.demo.example; dmarc=pass header.from=demo.example"}
    raw = raw_mail(sender="grace@demo.example", subject="Fwd: Shop down", text=FORWARD, **headers)
    mail = send_mail(raw, at=now, mail_from="grace@demo.example")
    assert Message.objects.get(pk=mail.message_id).conversation.customer == company.gil
    assert dns_stub.asked == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_the_dns(
    company: Company, send_mail: Send, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def watch(*given: object) -> Proof:
        seen.append(connection.in_atomic_block)
        return Proof.PASSED

    monkeypatch.setattr(filing, "look", watch)
    assert send_mail(forward(), at=now, mail_from="grace@demo.example").state == "filed"
    assert seen == [False]
