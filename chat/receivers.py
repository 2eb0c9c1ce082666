"""Open sockets look again who may be there, whenever a session ends or an agent's role or teams change."""

from typing import Any

from django.contrib.sessions.models import Session
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from helpdesk.customers.models import Team, User
from helpdesk.events import broadcast


@receiver(post_delete, sender=Session)
@receiver(post_save, sender=Team)
@receiver(post_delete, sender=Team)
@receiver(m2m_changed, sender=User.teams.through)
def look_again(sender: type, **_: Any) -> None:
    broadcast.people_changed()


@receiver(post_save, sender=User)
def look_again_at_agent(sender: type[User], update_fields: frozenset[str] | None = None, **_: Any) -> None:
    # A login writes only when it was.
    if update_fields is None or set(update_fields) - {"last_login", "password"}:
        broadcast.people_changed()
