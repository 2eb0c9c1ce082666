"""Articles in replies."""

from dataclasses import dataclass
from datetime import datetime

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import User
from helpdesk.events.models import Event
from knowledge import addresses, reading
from knowledge.models import Article, Translation, Used, Visibility


@dataclass(frozen=True, slots=True)
class Insertion:
    """What is put into a reply: Markdown. `is_link` where the customer may open the article; else it is its text."""

    article_id: int
    language: str
    title: str
    text: str
    is_link: bool


def insertion(
    article: Article, conversation: Conversation, language: str = "", *, as_link: bool | None = None
) -> Insertion:
    """The article for this customer, in their language or the one there is. `as_link` None: a link where they can read
    it there, its text where they cannot.
    """
    row = translation_of(article, language or conversation.customer.language or "en")
    is_link = may_be_linked(article) if as_link is None else as_link
    url = addresses.absolute(addresses.article(row))
    summary = row.summary or reading.shortened(row.plain)
    text = f"[{row.title}]({url})\n\n{summary}" if is_link else f"**{row.title}**\n\n{row.body}"
    return Insertion(article.pk, row.language, row.title, text, is_link)


def may_be_linked(article: Article) -> bool:
    """Whether a customer can read it at its address, whether they are signed in or not."""
    return article.visibility == Visibility.PUBLIC and not article.is_limited


def note_used(article: Article, language: str, conversation: Conversation, agent: User, *, at: datetime) -> Used:
    """An agent has put it into a reply that is not written yet; `note_sent` says when it is."""
    return Used.objects.create(article=article, language=language, conversation=conversation, agent=agent, at=at)


def note_sent(event: Event, at: datetime) -> None:
    """A handler of `message.written`: what its author had put into the reply belongs to this message, where it still
    stands in it. What they have struck out again was not used.
    """
    if event.data.get("automatic"):
        return  # machines insert nothing, and there are many of theirs
    message_id = event.data.get("message")
    message = Message.objects.filter(pk=message_id).first() if isinstance(message_id, int) else None
    if message is None or message.agent_id is None:
        return
    waiting = Used.objects.filter(conversation=message.conversation_id, agent=message.agent_id, message=None)
    for row in waiting.select_related("article"):
        shown = translation_of(row.article, row.language)
        if shown.title in message.text or addresses.article(shown) in message.text:
            Used.objects.filter(pk=row.pk).update(message=message)
        else:
            row.delete()


def uses(article: Article) -> int:
    """How often agents have answered with it."""
    return Used.objects.filter(article=article, message__isnull=False).count()


def may_be_inserted(article: Article) -> bool:
    """A draft is nobody's answer yet."""
    return article.visibility != Visibility.DRAFT


def translation_of(article: Article, language: str) -> Translation:
    """In this language, else in English, else as it was written first."""
    rows = {row.language: row for row in article.translations.order_by("pk")}
    return rows.get(language) or rows.get("en") or next(iter(rows.values()))
