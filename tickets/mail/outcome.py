"""What became of a mail."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ledger's entry: a state of InboundEmail, why, and where the mail went."""

    state: str
    reason: str = ""
    conversation_id: int | None = None
    message_id: int | None = None
