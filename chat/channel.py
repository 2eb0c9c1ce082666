"""The way out for what agents write in a chat: it stands in the log, and the visitor's page reads it there."""

from dataclasses import dataclass
from datetime import datetime

from helpdesk.conversations.models import Message


@dataclass(frozen=True, slots=True)
class InTheLog:
    """Nothing is left to do: the event that told of the message is what the visitor reads."""

    message_id: int

    def send(self) -> str:
        return f"chat-{self.message_id}"


class ChatChannel:
    """Sent once it stands in the log, delivered once the visitor has seen it (`chats.read_by_visitor`)."""

    def prepare(self, message: Message, *, at: datetime) -> InTheLog:
        return InTheLog(message.pk)

    def has_sent(self, message: Message) -> bool | None:
        return True
