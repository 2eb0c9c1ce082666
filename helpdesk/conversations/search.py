"""Full-text search over subjects and messages: bounded, whatever is asked, and newest first."""

import re
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from helpdesk.conversations.models import Conversation, Message

MAX_QUERY = 200
# Words that are everywhere are looked for in the newest matches only; nobody pages through more.
MAX_MATCHES = 10_000
_NUMBER = re.compile(r"\[?#?([0-9]{1,18})\]?")


def matching(words: str) -> Q:
    """Conversations with that number (`123`, `#123`), or with these words in the subject or in one message.

    `words` is what people type into search engines: quotes, or, minus (websearch_to_tsquery never fails on any text).
    """
    text = words[:MAX_QUERY].strip()
    number = _NUMBER.fullmatch(text)
    if number is not None and "#" in text:
        return Q(pk=int(number[1]))
    query = SearchQuery(text, config="simple", search_type="websearch")
    found = _newest(Conversation.objects.filter(search=query), "pk").union(
        _newest(Message.objects.filter(search=query), "conversation_id")
    )
    by_words = Q(pk__in=found)
    return by_words | Q(pk=int(number[1])) if number is not None else by_words


def _newest(rows: QuerySet[Any], column: str) -> QuerySet[Any, Any]:
    return rows.order_by("-pk").values(column)[:MAX_MATCHES]
