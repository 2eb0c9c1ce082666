"""A new conversation is written with its earliest due, so its clocks need not write it again: not the row, and not the
dozen indexes that a changed `next_due_at` costs.
"""

from django.db import migrations

_INSERTED = """
CREATE OR REPLACE FUNCTION helpdesk_note_next_due_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE helpdesk_conversation SET next_due_at = helpdesk_earliest_due(id)
     WHERE id IN (SELECT conversation_id FROM new_clocks){condition};
    RETURN NULL;
END $$;
"""
IF_IT_MOVED = _INSERTED.format(condition=" AND next_due_at IS DISTINCT FROM helpdesk_earliest_due(id)")
ALWAYS = _INSERTED.format(condition="")


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0005_conversation_links")]

    operations = [migrations.RunSQL(IF_IT_MOVED, ALWAYS)]
