"""Renaming tags and making two of them one, everywhere they are named."""

from typing import Any

from django.db import connection, transaction

from helpdesk.conversations.models import Conversation, Tag
from tickets.desk.models import Macro, Rule, SavedView

_MOVE = f"""
INSERT INTO {Conversation.tags.through._meta.db_table} (conversation_id, tag_id)
SELECT conversation_id, %(to)s FROM {Conversation.tags.through._meta.db_table} WHERE tag_id = %(gone)s
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def rename(tag: Tag, name: str) -> Tag:
    """Give the tag another name; one that has that name already takes its conversations over. The tag that is left."""
    name = " ".join(name.lower().split())[:80]
    old = tag.name
    if name == old:
        return tag
    other = Tag.objects.select_for_update().filter(name=name).first()
    if other is not None:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, {"to": other.pk, "gone": tag.pk})
        tag.delete()
    else:
        tag.name = name
        tag.save(update_fields=["name"])
    _follow(old, name)
    return other or tag


def _follow(old: str, new: str) -> None:
    """Saved views, macros and rules name tags by their words."""
    for view in SavedView.objects.select_for_update().filter(filters__tag__contains=old):
        view.filters = {**view.filters, "tag": sorted({new if name == old else name for name in view.filters["tag"]})}
        view.save(update_fields=["filters"])
    for macro in Macro.objects.select_for_update():
        if (actions := [_renamed(step, old, new) for step in macro.actions]) != macro.actions:
            Macro.objects.filter(pk=macro.pk).update(actions=actions)
    for rule in Rule.objects.select_for_update():
        conditions = [_renamed(one, old, new) for one in rule.conditions]
        actions = [_renamed(step, old, new) for step in rule.actions]
        if conditions != rule.conditions or actions != rule.actions:
            Rule.objects.filter(pk=rule.pk).update(conditions=conditions, actions=actions)


def _renamed(part: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    is_about_tags = part.get("field") == "tag" or part.get("do") in ("add_tags", "remove_tags")
    value = part.get("value")
    if not is_about_tags or not isinstance(value, list):
        return part
    return {**part, "value": list(dict.fromkeys(new if name == old else name for name in value))}
