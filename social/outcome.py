"""What became of an arrival."""

from dataclasses import dataclass

from social.models import Arrival


@dataclass(frozen=True, slots=True)
class Filed:
    """Its state in the ledger, why (for people), and the message that it became."""

    state: Arrival.State
    why: str = ""
    message_id: int | None = None


def filed(message_id: int | None = None) -> Filed:
    return Filed(Arrival.State.FILED, "", message_id)


def ignored(why: str) -> Filed:
    return Filed(Arrival.State.IGNORED, why)


def waiting(why: str) -> Filed:
    return Filed(Arrival.State.WAITING, why)
