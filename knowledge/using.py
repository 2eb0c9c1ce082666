"""Articles in conversations: put into a reply, and made of one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import User
from helpdesk.events.models import Event
from knowledge import addresses, reading
from knowledge.articles import Text
from knowledge.models import Article, Translation, Used, Visibility
from knowledge.visibility import readable_articles

MOST_QUOTED: Final = 40


@dataclass(frozen=True, slots=True)
class Insertion:
    """What is put into a reply: Markdown. `is_link` where the customer may open the article; else it is its text."""

    article_id: int
    language: str
    title: str
    text: str
    is_link: bool


def insertion(article: Article, conversation: Conversation, language: str = "") -> Insertion:
    """The article for this customer, in their language or the one there is: a link where they can read it there, its
    text where they cannot.
    """
    wanted = language or conversation.customer.language or "en"
    row = _translation(article, wanted)
    may_read = readable_articles(conversation.customer).filter(pk=article.pk).exists()
    is_link = may_read and not article.is_limited
    url = addresses.absolute(addresses.article(row))
    summary = row.summary or reading.shortened(row.plain)
    text = f"[{row.title}]({url})\n\n{summary}" if is_link else f"**{row.title}**\n\n{row.body}"
    return Insertion(article.pk, row.language, row.title, text, is_link)


def note_used(article: Article, language: str, conversation: Conversation, agent: User, *, at: datetime) -> Used:
    """An agent has put it into a reply that is not written yet; `note_sent` says when it is."""
    return Used.objects.create(article=article, language=language, conversation=conversation, agent=agent, at=at)


def note_sent(event: Event, at: datetime) -> None:
    """A handler of `message.written`: what its author had put into the reply belongs to this message."""
    message_id = event.data.get("message")
    message = Message.objects.filter(pk=message_id).first() if isinstance(message_id, int) else None
    if message is None or message.agent_id is None:
        return
    waiting = Used.objects.filter(conversation=message.conversation_id, agent=message.agent_id, message=None)
    if waiting.exists():
        waiting.update(message=message)


@transaction.atomic
def draft_from(conversation: Conversation) -> Text:
    """What an article made of this conversation begins with: the question and our answers, to be written anew. Nothing
    is saved, and nobody's name or address is in it but where they wrote it themselves.
    """
    rows = Message.objects.filter(conversation=conversation, kind__in=(Message.Kind.INBOUND, Message.Kind.OUTBOUND))
    parts = []
    for row in rows.order_by("pk")[:MOST_QUOTED]:
        if row.kind == Message.Kind.INBOUND:
            parts.append("\n".join(f"> {line}" for line in row.text.strip().splitlines()))
        else:
            parts.append(row.text.strip())
    body = "\n\n".join(part for part in parts if part)
    return Text(title=conversation.subject, body=body, language=conversation.customer.language or "en")


def uses(article: Article) -> int:
    """How often agents have answered with it."""
    return Used.objects.filter(article=article).count()


def may_be_inserted(article: Article) -> bool:
    """A draft is nobody's answer yet."""
    return article.visibility != Visibility.DRAFT


def _translation(article: Article, language: str) -> Translation:
    rows = {row.language: row for row in article.translations.order_by("pk")}
    return rows.get(language) or rows.get("en") or next(iter(rows.values()))
