"""Rows of open lists, drawn once for all who look at them. For `LIVE_DESK`."""

from collections.abc import Collection, Mapping

from django.utils import timezone, translation

from helpdesk.customers.models import User
from tickets.desk import inbox, queue
from tickets.desk.rendering import fragment
from tickets.zones import known_zone

# A conversation, the agent who has it in their list, the language and the time zone they read it in, and the order of
# that list, "" where nobody has said.
Wanted = tuple[int, int, str, str, str]


def draw(wanted: Collection[Wanted]) -> Mapping[Wanted, str]:
    """These rows as they are now, as HTML; without those of conversations that are gone. One statement.

    It is the caller who knows that each agent may see what they are given.
    """
    rows = {row["id"]: row for row in queue.these({one[0] for one in wanted})}
    at = timezone.now()
    # Agents who read alike are given the same, but for what says "You".
    drawn: dict[Wanted, str] = {}
    found: dict[Wanted, str] = {}
    for one in wanted:
        number, agent, language, zone, order = one
        row = rows.get(number)
        if row is None:
            continue
        reader = agent if row["assignee_id"] == agent else 0
        alike = (number, reader, language, zone, order)
        if alike not in drawn:
            with translation.override(language), timezone.override(known_zone(zone)):
                placed = row | {"place": queue.place(row, order or inbox.DUE)}
                drawn[alike] = fragment("_rows.jinja", user=User(pk=reader), rows=[placed], after="", at=at)
        found[one] = drawn[alike]
    return found
