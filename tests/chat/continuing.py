"""A visitor's chat in a test, as the protocol would begin it, and what of it is mailed."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import uuid4

from chat import chats, dues, saying, sessions
from chat.chats import FirstWords, Said
from chat.identity import Signed
from chat.models import Chat, ChatDue, Visit, Widget
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.events import outbox
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine

MAIL_AFTER = timedelta(seconds=90)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
UMA = "uma@umbrella.example"


def widget() -> Widget:
    return Widget.objects.get_or_create(
        key="pk_test", defaults={"name": "Test", "created_at": datetime.fromisoformat("2026-01-05T08:00Z")}
    )[0]


def visitor(at: datetime, *, signed: str = "", language: str = "") -> Visit:
    """A browser's session; `signed` is the address its page vouches for."""
    who = Signed(f"site-{signed}", signed) if signed else None
    visit, _token = sessions.open_visit(widget(), who, at=at, language=language, timezone="Europe/Berlin")
    return visit


def begin(visit: Visit, text: str, *, at: datetime, email: str = "", name: str = "", leisurely: bool = False) -> Chat:
    said: Said = chats.start(visit, FirstWords(text, uuid4(), name=name, email=email, leisurely=leisurely), at=at)
    return said.chat


def say(visit: Visit, chat: Chat, text: str, *, at: datetime) -> Said:
    return saying.say(visit, chat.public_id, text, client_id=uuid4(), at=at)


def work(at: datetime) -> None:
    """All that is due at `at`, in the outbox and of mail in chats, until nothing is left."""
    outbox.drain(at)
    # Reminders to agents are tested elsewhere.
    ChatDue.objects.exclude(kind=ChatDue.Kind.MAIL).delete()
    while outbox.drain(at) + dues.sweep(at):
        pass


def answer(company: Company, chat: Chat, text: str, *, at: datetime) -> Message:
    """Grace answers, and what follows at once."""
    message = conversations.reply(chat.pk, company.grace, text, at=at)
    work(at)
    return message


def mails(engine: Engine, to: str = UMA) -> list[EmailMessage]:
    """What has left to an address."""
    return engine.mails(to)
