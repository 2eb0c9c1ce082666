from django.db import migrations

FORGETS = """
CREATE OR REPLACE FUNCTION helpdesk_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('helpdesk.forgets', true) = 'yes'
       AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
REFUSES = """
CREATE OR REPLACE FUNCTION helpdesk_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    """Events stay append-only, but for addresses of customers who were forgotten (helpdesk.events.forgetting)."""

    dependencies = [("helpdesk", "0021_twilio_account")]

    operations = [migrations.RunSQL(FORGETS, REFUSES)]
