"""What the database itself guarantees: numbered, append-only events; the earliest due of a conversation."""

from django.db import migrations

NUMBER_EVENT = """
CREATE FUNCTION helpdesk_number_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction_id := pg_current_xact_id()::text::bigint;
    NEW.seq := NULL;
    IF NEW.conversation_id IS NULL THEN
        NEW.public_seq := NULL;
        RETURN NEW;
    END IF;
    UPDATE helpdesk_conversation
       SET last_seq = last_seq + 1,
           last_public_seq = last_public_seq + (NEW.public_seq IS NOT NULL)::int
     WHERE id = NEW.conversation_id
    RETURNING last_seq, CASE WHEN NEW.public_seq IS NOT NULL THEN last_public_seq END
      INTO NEW.seq, NEW.public_seq;
    RETURN NEW;
END $$;
CREATE TRIGGER number_event BEFORE INSERT ON helpdesk_event
    FOR EACH ROW EXECUTE FUNCTION helpdesk_number_event();

CREATE FUNCTION helpdesk_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE ON helpdesk_event
    FOR EACH ROW EXECUTE FUNCTION helpdesk_refuse_change();
"""

FORGET_NUMBERS = """
DROP TRIGGER events_are_append_only ON helpdesk_event;
DROP FUNCTION helpdesk_refuse_change();
DROP TRIGGER number_event ON helpdesk_event;
DROP FUNCTION helpdesk_number_event();
"""

# Statement triggers with transition tables: one UPDATE however many clocks a statement touches, none if no due moved.
NOTE_NEXT_DUE = """
CREATE FUNCTION helpdesk_earliest_due(conversation bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(due_at) FROM helpdesk_clock
     WHERE conversation_id = conversation AND met_at IS NULL AND cancelled_at IS NULL
$$;

CREATE FUNCTION helpdesk_note_next_due_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE helpdesk_conversation SET next_due_at = helpdesk_earliest_due(id)
     WHERE id IN (SELECT conversation_id FROM new_clocks);
    RETURN NULL;
END $$;
CREATE TRIGGER note_next_due_inserted AFTER INSERT ON helpdesk_clock
    REFERENCING NEW TABLE AS new_clocks FOR EACH STATEMENT EXECUTE FUNCTION helpdesk_note_next_due_inserted();

CREATE FUNCTION helpdesk_note_next_due_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE helpdesk_conversation SET next_due_at = helpdesk_earliest_due(id)
     WHERE id IN (
        SELECT n.conversation_id FROM new_clocks n JOIN old_clocks o ON o.id = n.id
         WHERE (n.due_at, n.met_at, n.cancelled_at) IS DISTINCT FROM (o.due_at, o.met_at, o.cancelled_at));
    RETURN NULL;
END $$;
CREATE TRIGGER note_next_due_updated AFTER UPDATE ON helpdesk_clock
    REFERENCING NEW TABLE AS new_clocks OLD TABLE AS old_clocks
    FOR EACH STATEMENT EXECUTE FUNCTION helpdesk_note_next_due_updated();
"""

FORGET_NEXT_DUE = """
DROP TRIGGER note_next_due_updated ON helpdesk_clock;
DROP FUNCTION helpdesk_note_next_due_updated();
DROP TRIGGER note_next_due_inserted ON helpdesk_clock;
DROP FUNCTION helpdesk_note_next_due_inserted();
DROP FUNCTION helpdesk_earliest_due(bigint);
"""

# Rows that are touched often and swept by partial index: keep the indexes lean.
TUNE = "".join(
    f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);"
    for table in ("helpdesk_clock", "helpdesk_outboxentry", "helpdesk_pagedelivery", "helpdesk_conversation")
)
UNTUNE = "".join(
    f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);"
    for table in ("helpdesk_clock", "helpdesk_outboxentry", "helpdesk_pagedelivery", "helpdesk_conversation")
)


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0001_initial")]

    operations = [
        migrations.RunSQL(NUMBER_EVENT, FORGET_NUMBERS),
        migrations.RunSQL(NOTE_NEXT_DUE, FORGET_NEXT_DUE),
        migrations.RunSQL(TUNE, UNTUNE),
    ]
