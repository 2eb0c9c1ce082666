"""What agents do with a live chat: take it, hold it, ask whether there is more, hand it on, take it over."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from chat import agents, chats, dues, nudges, offers, silence
from chat.models import Chat, ChatDue
from helpdesk.conversations import actions as conversations
from helpdesk.conversations import answers, promises
from helpdesk.conversations.incoming import lock
from helpdesk.customers.models import Team, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor


class Taken(Exception):
    """Somebody else has it: `by` is who."""

    def __init__(self, by: User) -> None:
        super().__init__(str(by))
        self.by = by


class NotLive(Exception):
    """It is not held live (any more): it has ended, or is answered like a ticket."""


class CannotReceive(ValueError):
    """A chat can be handed on to those who may see it and answer."""


@transaction.atomic
def take(conversation_id: int, user: User, *, at: datetime) -> None:
    """The agent has it from now on; of two who take it at once the first. Raises Taken, NotLive."""
    chat = _live(conversation_id)
    holder = chat.conversation.assignee
    if chat.state == Chat.State.ACTIVE and holder is not None and holder != user:
        raise Taken(holder)
    _join(chat, user, at)


@transaction.atomic
def take_over(conversation_id: int, user: User, *, at: datetime) -> None:
    """A lead takes it, whoever has it. Raises NotLive."""
    _join(_live(conversation_id), user, at)


def _join(chat: Chat, user: User, at: datetime) -> None:
    if chats.join(chat.pk, user, at=at):
        silence.joined(chat.pk, at)
        agents.noted(user.pk, at=at)


@transaction.atomic
def given(conversation_id: int, user: User, *, at: datetime) -> None:
    """It was given to this agent on the desk: it is theirs. Does nothing where no chat is held live."""
    try:
        chat = _live(conversation_id)
    except NotLive:
        return
    if chat.conversation.assignee_id == user.pk:
        _join(chat, user, at)


@transaction.atomic
def answered(conversation_id: int, user: User, *, at: datetime) -> None:
    """An agent has written to the customer: whoever answers is there. Does nothing where no chat is held live."""
    lock(conversation_id)
    found = Chat.objects.filter(pk=conversation_id, mode=Chat.Mode.CHAT).exclude(state=Chat.State.ENDED)
    if not found.exists():
        return
    # Who helps out in a colleague's chat does not take it away from them.
    if found.exclude(state=Chat.State.ACTIVE).exists():
        chats.join(conversation_id, user, at=at)
    silence.agent_wrote(conversation_id, at)
    agents.noted(user.pk, at=at)


@transaction.atomic
def hold(conversation_id: int, user: User, *, at: datetime) -> None:
    """Tell the customer to wait a moment. No promise is kept by it, and no clock stops. Raises NotLive, Taken."""
    chat = _live(conversation_id)
    if chat.state != Chat.State.ACTIVE:
        take(conversation_id, user, at=at)
        chat = _live(conversation_id)
    _phrase(chat, user, lambda: _("I'll check and be right back."), at)
    Chat.objects.filter(pk=chat.pk).update(hold_until=at + silence.HOLD_LASTS, nudge="")
    dues.drop(chat.pk, ChatDue.Kind.WAITS, ChatDue.Kind.ANYTHING, ChatDue.Kind.END)
    dues.plan(chat.pk, ChatDue.Kind.BACK, at + silence.HOLD_LASTS)
    record(Fact("chat.held", chat.pk, Actor.agent(user), data={"until": at + silence.HOLD_LASTS}), at=at)


@transaction.atomic
def ask_for_more(conversation_id: int, user: User, *, at: datetime) -> None:
    """Is there anything else? If nothing is said for ten minutes, the chat ends. Raises NotLive."""
    chat = _live(conversation_id)
    _phrase(chat, user, lambda: _("Is there anything else I can help you with?"), at)
    Chat.objects.filter(pk=chat.pk).update(nudge="")
    dues.drop(chat.pk, ChatDue.Kind.ANYTHING)
    dues.plan(chat.pk, ChatDue.Kind.END, at + silence.ENDS_AFTER)


def _phrase(chat: Chat, user: User, words: Callable[[], str], at: datetime) -> None:
    with translation.override(nudges.language_of(chat)):
        answers.write_automatically(chat.conversation, words(), at=at, user=user)


@transaction.atomic
def hand_to_agent(conversation_id: int, user: User, to: User, *, note: str, at: datetime) -> None:
    """Ask another agent first; if they do not take it, it is offered to the others. Raises NotLive, CannotReceive."""
    chat = _live(conversation_id)
    team = chat.conversation.team
    if not to.is_active or to.role == User.Role.VIEWER or to == user or not _may_see(to, team):
        raise CannotReceive(str(to))
    _release(chat, user, note, at)
    until = at + offers.LASTS
    Chat.objects.filter(pk=chat.pk).update(offered_to=to, offered_until=until)
    data = {"agent": to.pk, "agents": [to.pk], "until": until, "by": user.pk}
    record(Fact("chat.offered", chat.pk, Actor.agent(user), data=data), at=at)
    dues.plan(chat.pk, ChatDue.Kind.OFFER, until)


@transaction.atomic
def hand_to_team(conversation_id: int, user: User, to: Team, *, note: str, at: datetime) -> None:
    """Let another team take it. Raises NotLive."""
    chat = _live(conversation_id)
    _release(chat, user, note, at)
    conversations.change(chat.pk, conversations.Changes(team=to), actor=Actor.agent(user), at=at)
    dues.plan(chat.pk, ChatDue.Kind.OFFER, at)


def _release(chat: Chat, user: User, note: str, at: datetime) -> None:
    if note.strip():
        conversations.note(chat.pk, user, note.strip(), at=at)
    conversations.change(chat.pk, conversations.Changes(assignee=None), actor=Actor.agent(user), at=at)
    Chat.objects.filter(pk=chat.pk).update(
        state=Chat.State.WAITING, declined_by=[user.pk], offered_to=None, offered_until=None, hold_until=None, nudge=""
    )
    dues.drop(chat.pk, ChatDue.Kind.WAITS, ChatDue.Kind.BACK, ChatDue.Kind.ANYTHING, ChatDue.Kind.END)
    dues.plan(chat.pk, ChatDue.Kind.LEFT, at)
    record(Fact("chat.handed_on", chat.pk, Actor.agent(user), public=True), at=at)


def _may_see(user: User, team: Team | None) -> bool:
    if team is None or not team.is_private or user.is_admin:
        return True
    return user.teams.filter(pk=team.pk).exists()


@transaction.atomic
def convert(conversation_id: int, user: User, *, subject: str, category: str, at: datetime) -> bool:
    """Answer it at leisure from now on; the category is one tag more. False if that was so already."""
    conversation = lock(conversation_id)
    if category.strip():
        tags = [*conversation.tags.values_list("name", flat=True), category]
        conversations.change(conversation_id, conversations.Changes(tags=tags), actor=Actor.agent(user), at=at)
    Chat.objects.filter(pk=conversation_id).update(nudge="")
    if Chat.objects.filter(pk=conversation_id, state=Chat.State.LEFT).exists():
        promises.at_leisure(conversation, at=at)
    return chats.convert(conversation_id, Actor.agent(user), subject=subject, at=at)


def _live(conversation_id: int) -> Chat:
    lock(conversation_id)
    chat = _chat(conversation_id)
    if chat.mode != Chat.Mode.CHAT or chat.state == Chat.State.ENDED:
        raise NotLive
    return chat


def _chat(conversation_id: int) -> Chat:
    """With all that is asked of it, in one statement. Raises NotLive where there is none."""
    found = Chat.objects.select_related(
        "widget", "visit", "conversation__assignee", "conversation__team", "conversation__customer"
    )
    chat = found.filter(pk=conversation_id).first()
    if chat is None:
        raise NotLive
    return chat
