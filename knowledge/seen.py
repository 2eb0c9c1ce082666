"""How often articles are read: counted in this process, and added to their rows every few seconds. A process that is
killed loses what it counted since; nothing is promised of this number.
"""

import threading
from collections import Counter
from typing import Final

from django.db import connection

from knowledge.models import Article

_counted: Counter[int] = Counter()
_lock = threading.Lock()
_ADD: Final = f"""
UPDATE {Article._meta.db_table} AS article SET views = article.views + seen.times
FROM unnest(%s::bigint[], %s::bigint[]) AS seen (id, times) WHERE article.id = seen.id
"""


def count(article_id: int) -> None:
    """It was read once more."""
    with _lock:
        _counted[article_id] += 1


def write() -> int:
    """Add what was counted to the articles' rows; how many those were. Raises DatabaseError, and keeps it then."""
    with _lock:
        taken = dict(_counted)
        _counted.clear()
    if not taken:
        return 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [sorted(taken), [taken[pk] for pk in sorted(taken)]])
    except BaseException:
        with _lock:
            _counted.update(taken)
        raise
    return len(taken)
