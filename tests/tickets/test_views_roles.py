"""Every address of a conversation, and of what belongs to it, by role: the one in a private team is nobody else's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Team, User
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, picture, write
from tickets.desk.models import CannedReply
from tickets.urls import urlpatterns

BOUND = (
    "desk/conversations/<int:pk>/",
    "desk/messages/<int:pk>/",
    "desk/attachments/<int:pk>/",
    "desk/clocks/<int:pk>/",
)
PATTERNS = [pattern for pattern in urlpatterns if str(pattern.pattern).startswith(BOUND)]
SENT = {
    *("answer", "draft", "mentions_seen", "use_canned", "work", "take", "undo", "snooze", "spam", "notes_on_customer"),
    *("followers", "checklist", "time_spent", "fields", "link", "retry", "take_back"),
}
BOTH = {"merge", "split", "forward"}
OF_VIEWERS = {"draft", "mentions_seen"}


@dataclass(frozen=True)
class There:
    """A conversation of a private team, a member of it, an admin, and a way to every address."""

    member: User
    outsider: User
    viewer: User
    admin: User
    keys: dict[str, int]
    canned: int

    def path(self, pattern: URLPattern) -> str:
        text = str(pattern.pattern)
        key = self.keys.get(str(pattern.name), self.keys[text.split("/")[1]])
        return f"/{text}".replace("<int:pk>", str(key))

    def data(self, pattern: URLPattern) -> dict[str, Any]:
        own = self.keys["conversations"]
        return {"reply": self.canned, "into": own, "text": "x", "kind": "reply"}


@pytest.fixture
def there(company: Company, at: datetime) -> There:
    team = Team.objects.create(name="Secret", is_private=True)
    conversation = write(company.gil, at, files=(picture(),), html="<p>Hello</p>")
    Conversation.objects.filter(pk=conversation.pk).update(team=team)
    first = Message.objects.get()
    reply = conversations.reply(conversation.pk, company.ada, "Hello", at=at)
    viewer = User.objects.create_user("vera@demo.example", name="Vera", role=User.Role.VIEWER)
    team.members.set([company.linus, viewer])
    clock = Clock.objects.filter(conversation=conversation).first()
    assert clock is not None
    keys = {
        "conversations": conversation.pk,
        "messages": first.pk,
        "attachments": Attachment.objects.get().pk,
        "clocks": clock.pk,
        "source": reply.pk,
        "take_back": reply.pk,
    }
    canned = CannedReply.objects.create(shortcut="x", name="x", text="x", updated_at=now())
    return There(company.linus, company.grace, viewer, company.ada, keys, canned.pk)


def _ask(browser: Client, there: There, pattern: URLPattern, method: str) -> int:
    data = there.data(pattern) if method == "post" else {}
    return getattr(browser, method)(there.path(pattern), data).status_code  # type: ignore[no-any-return]


def _methods(pattern: URLPattern) -> list[str]:
    return ["get", "post"] if pattern.name in BOTH else ["post"] if pattern.name in SENT else ["get"]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: str(pattern.name))
def test_matrix(pattern: URLPattern, there: There) -> None:
    for method in _methods(pattern):
        assert _ask(Client(), there, pattern, method) == 302, method
        # The answer to somebody outside is the one to a number that nobody has.
        assert _ask(logged_in(there.outsider), there, pattern, method) == 404, method
        sends = method == "post" and pattern.name not in OF_VIEWERS
        assert (_ask(logged_in(there.viewer), there, pattern, method) == 403) is sends, method
        for user in (there.member, there.admin):
            assert _ask(logged_in(user), there, pattern, method) in (200, 204, 302, 422), (method, user)


def test_every_address_is_in_the_matrix() -> None:
    assert {str(pattern.name) for pattern in PATTERNS} >= SENT | BOTH
    assert len(PATTERNS) >= 29


@pytest.mark.parametrize("name", ["canned", "tags"])
def test_lists_are_for_agents(name: str, company: Company) -> None:
    assert Client().get(f"/desk/{name}/").status_code == 302
    assert logged_in(company.grace).get(f"/desk/{name}/").status_code == 200
