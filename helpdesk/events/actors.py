"""Who did it."""

from dataclasses import dataclass

from helpdesk.customers.models import User
from helpdesk.events.models import Event


@dataclass(frozen=True, slots=True)
class Actor:
    kind: str
    user_id: int | None = None

    @classmethod
    def agent(cls, user: User) -> "Actor":
        return cls(Event.Actor.AGENT, user.pk)


SYSTEM = Actor(Event.Actor.SYSTEM)
CUSTOMER = Actor(Event.Actor.CUSTOMER)
