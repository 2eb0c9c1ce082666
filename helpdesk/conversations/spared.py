"""Suggestions that somebody saw before they wrote: whoever made them learns that a ticket came all the same."""

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Conversation


def written_all_the_same(asking: str, conversation: Conversation) -> None:
    """`asking` is the name that the page gave to this writing; settings.SUGGESTING is told. Other words do nothing."""
    if asking:
        import_string(settings.SUGGESTING)(asking, conversation)
