from django.db import migrations

FORGETS = """
CREATE OR REPLACE FUNCTION helpdesk_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.kind = 'customer' AND current_setting('helpdesk.forgets', true) = 'yes'
       AND to_jsonb(NEW) - '{name,before,after}'::text[] = to_jsonb(OLD) - '{name,before,after}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
REFUSES = """
CREATE OR REPLACE FUNCTION helpdesk_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    """The audit log stays append-only, but for what it told of customers who were forgotten (audit.forget)."""

    dependencies = [("helpdesk", "0022_addresses_in_events_forgotten")]

    operations = [migrations.RunSQL(FORGETS, REFUSES)]
