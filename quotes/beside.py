"""What stands of quotes beside a conversation (`BESIDE_CONVERSATIONS`): SQL, which refers to it as `c`."""

from typing import Final

from quotes.models import Quote

OF_CONVERSATION: Final = f"""
SELECT json_agg(json_build_object('id', one.id, 'number', one.number, 'title', one.title, 'state', one.state))
FROM (SELECT quote.id, quote.title, quote.state, CASE WHEN quote.serial IS NULL THEN '' ELSE
        'Q-' || quote.year || '-' || lpad(quote.serial::text, greatest(4, length(quote.serial::text)), '0')
        || CASE WHEN quote.version > 1 THEN '-' || quote.version ELSE '' END END AS number
      FROM {Quote._meta.db_table} AS quote WHERE quote.conversation_id = c.id ORDER BY quote.id DESC LIMIT 5) AS one
"""
