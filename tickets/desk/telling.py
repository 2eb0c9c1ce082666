"""Pushes and mails that were planned (`tickets.desk.notices`) leave: outside of any transaction, by the outbox."""

from datetime import datetime

from anymail.message import AnymailMessage
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import send_email
from tickets.desk import notices, proposed, webpush
from tickets.desk.models import NotificationChoice, PushSubscription
from tickets.mail import composing, tokens
from tickets.mail.automatic import INSTANCE_HEADER

_ERROR = PushSubscription._meta.get_field("error").max_length


@outside
def push(event: Event, at: datetime) -> None:
    """To every browser of the agent, unless they look at the desk anyway. A browser that has unsubscribed is
    forgotten. Raises RetryLater when a service wants to be asked again and no browser was reached.
    """
    agent = User.objects.filter(pk=event.data["user"], is_active=True).first()
    if agent is None or notices.PUSH not in event.data["ways"]:
        return
    if at - event.at > notices.TOLD_WITHIN or agent.pk in import_string(settings.LIVE_DESK["looking"])():
        return
    message = _pushed(event, agent)
    if message is None:
        return
    later: RetryLater | None = None
    reached = False
    for one in PushSubscription.objects.filter(user=agent):
        try:
            webpush.send(one.endpoint, one.p256dh, one.auth, message, topic=str(message["tag"]), at=at)
            reached = True
        except webpush.Gone:
            one.delete()
        except RetryLater as error:
            later = error
        except (NeverRetry, webpush.BadKeys) as error:
            PushSubscription.objects.filter(pk=one.pk).update(error=str(error)[:_ERROR])
    if later is not None and not reached:
        raise later


@outside
def mail(event: Event, at: datetime) -> None:
    """A mention, by mail: who, where, and what was written."""
    if notices.MAIL not in event.data["ways"]:
        return
    agent, conversation = _of(event)
    if agent is None or conversation is None:
        return
    note = _note_of(event)
    if note is None:
        return
    with translation.override(agent.language):
        send_email(_mention(agent, conversation, note, event))


def _of(event: Event) -> tuple[User | None, Conversation | None]:
    """Looked up anew: who has left, or may no longer see it, is told nothing."""
    agent = User.objects.filter(pk=event.data["user"], is_active=True).first()
    if agent is None:
        return None, None
    found = visible_conversations(agent).select_related("customer").filter(pk=event.data["conversation"]).first()
    return agent, found


def _hides_text(agent: User) -> bool:
    return NotificationChoice.objects.filter(user=agent, hides_text=True).exists()


def _pushed(event: Event, agent: User) -> dict[str, object] | None:
    """What a browser is told; None where there is nothing to be told of any more."""
    if event.data["kind"] == notices.PROPOSAL:
        source = Event.objects.filter(pk=event.data["of"]).first()
        return None if source is None else _proposed(event, source, agent)
    _agent, conversation = _of(event)
    if conversation is None:
        return None
    with translation.override(agent.language):
        return _message(event, conversation, hides_text=_hides_text(agent))


def _proposed(event: Event, source: Event, agent: User) -> dict[str, object]:
    told = proposed.said(source, agent.language)
    if _hides_text(agent):
        told["text"] = ""
    return {"id": event.pk, **told, "tag": f"proposal-{source.data['proposal']}"}


def _message(event: Event, conversation: Conversation, *, hides_text: bool) -> dict[str, object]:
    titles = {
        notices.CHAT: _("A live chat needs you"),
        notices.OPENED: _("New conversation"),
        notices.MESSAGE: _("New message"),
        notices.MENTION: _("You were mentioned"),
        notices.ASSIGNMENT: _("A conversation is yours now"),
        notices.RISK: _("A deadline comes closer"),
    }
    text = f"#{conversation.number}"
    if not hides_text:
        text = f"{conversation.customer}: {conversation.subject or conversation.preview}"[:300]
    return {
        "id": event.pk,
        "title": titles[event.data["kind"]],
        "text": text,
        "tag": f"conversation-{conversation.pk}",
        "url": _path(conversation),
    }


def _note_of(event: Event) -> Message | None:
    source = Event.objects.filter(pk=event.data["of"]).first()
    return notices.message_of(source) if source is not None else None


def _mention(agent: User, conversation: Conversation, note: Message, event: Event) -> AnymailMessage:
    author = str(note.agent) if note.agent else _("Helpdesk")
    text = _("%(author)s mentioned you in #%(number)s “%(subject)s”:") % {
        "author": author,
        "number": conversation.number,
        "subject": conversation.subject,
    }
    return AnymailMessage(
        subject=one_line(f"{author}: #{conversation.number} {conversation.subject}", 200),
        body=f"{text}\n\n{note.text}\n\n-- \n{settings.PUBLIC_URL}{_path(conversation)}\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[agent.email],
        headers={
            "Message-ID": f"<notice-{event.pk}@{settings.MAIL_DOMAIN}>",
            INSTANCE_HEADER: tokens.instance_id(),
            **composing.automatic_headers("auto-generated"),
        },
    )


def _path(conversation: Conversation) -> str:
    return reverse("tickets:conversation", args=[conversation.pk])
