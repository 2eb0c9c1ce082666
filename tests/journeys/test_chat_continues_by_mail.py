"""A visitor chats and leaves; the answer is mailed once, read in a mailbox, answered there, and is in the log."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from chat import chats, visitor_log, visitor_presence
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from tests.chat.continuing import begin, say, visitor, work
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, text_of
from tests.fixtures.imap import ImapServer
from tests.fixtures.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

UMA = "uma@umbrella.example"
MINUTE = timedelta(minutes=1)


def test_a_chat_goes_on_by_mail_and_back(
    engine: Engine,
    company: Company,
    smtp_sink: SmtpSink,
    imap_server: ImapServer,
    at: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watching = {0}
    monkeypatch.setattr(visitor_presence, "is_watching", watching.__contains__)
    visit = visitor(at, signed=UMA)
    chat = begin(visit, "Our shop is slow since this morning.", at=at)
    work(at)
    watching.add(chat.pk)
    conversations.reply(chat.pk, company.grace, "I look into it, one moment.", at=at + MINUTE)
    chats.read_by_visitor(chat.pk, Conversation.objects.get(pk=chat.pk).last_public_seq)
    work(at + MINUTE)
    watching.clear()  # the lid of the laptop closes

    conversations.reply(chat.pk, company.grace, "It was a full disk. Is it fine now?", at=at + 5 * MINUTE)
    for minute in range(6, 20):
        work(at + minute * MINUTE)
    (taken,) = smtp_sink.taken
    assert taken.rcpt_to == (UMA,)

    # In Uma's mailbox, as her mail program fetches it.
    imap_server.client().append("INBOX", taken.raw)
    program = imap_server.client()
    (uid,) = program.search("ALL")
    fetched = message_from_bytes(program.fetch([uid], ["RFC822"])[uid][b"RFC822"], policy=policy.default)
    program.logout()
    assert isinstance(fetched, EmailMessage)
    text = text_of(fetched)
    assert text.startswith("It was a full disk. Is it fine now?") and "> I look into it, one moment." in text
    assert "/chat/?key=pk_test#resume=" in text

    answer = EmailMessage()
    answer["From"], answer["To"] = f"Uma Singh <{UMA}>", str(fetched["Reply-To"])
    answer["Subject"], answer["Message-ID"] = str(fetched["Subject"]), "<uma-1@umbrella.example>"
    answer["In-Reply-To"] = answer["References"] = str(fetched["Message-ID"])
    quoted = "\n".join(f"> {line}" for line in text.splitlines())
    answer.set_content(f"Yes, thank you!\n\nOn Monday Grace wrote:\n{quoted}\n")
    filed = engine.receive(answer.as_bytes(), at=at + 30 * MINUTE, sender=UMA, to=str(fetched["Reply-To"]))
    assert filed.conversation_id == chat.pk and Conversation.objects.count() == 1

    frames = visitor_log.after({chat.pk: 0})[chat.pk]
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1)), "without a gap"
    said = [(frame["d"]["text"], frame["d"]["via"]) for frame in frames if frame["t"] == "msg.new"]
    assert said[-1] == ("Yes, thank you!", "email") and len(said) == 4

    # She opens the panel again; what is written there goes on in the same thread of mail.
    say(visit, chat, "One more question.", at=at + 40 * MINUTE)
    conversations.reply(chat.pk, company.grace, "Please ask!", at=at + 41 * MINUTE)
    work(at + 41 * MINUTE)
    assert len(smtp_sink.taken) == 1
    work(at + 43 * MINUTE)
    last = smtp_sink.taken[-1].mail
    assert len(smtp_sink.taken) == 2 and last["In-Reply-To"] == "<uma-1@umbrella.example>"
    assert str(last["References"]).split()[0] == str(fetched["Message-ID"])
