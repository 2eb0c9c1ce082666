from django.db import migrations

FREEZE = """
CREATE FUNCTION quotes_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Where it belongs may change with conversations and customers that are merged; what was offered may not.
    moves text[] := ARRAY['conversation_id', 'customer_id', 'organization_id', 'answered_by_id', 'upgrade_plan_id',
                          'message_id'];
    ends text[] := ARRAY['state', 'ended_at', 'updated_at', 'answer', 'answered_name', 'answered_from', 'answered_via',
                         'reason'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'a quote that was sent stays' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state = 'draft' THEN
        IF NEW.state NOT IN ('draft', 'sent') THEN
            RAISE EXCEPTION 'a draft is sent before it ends' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'sent' THEN
        IF NEW.state = 'draft' THEN
            RAISE EXCEPTION 'what was sent is no draft' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        moves := moves || ends;
    END IF;
    IF to_jsonb(OLD) - moves IS DISTINCT FROM to_jsonb(NEW) - moves THEN
        RAISE EXCEPTION 'a quote that is % does not change', OLD.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quotes_are_frozen BEFORE UPDATE OR DELETE ON quotes_quote
    FOR EACH ROW EXECUTE FUNCTION quotes_refuse_change();

CREATE FUNCTION quotes_refuse_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    row_of bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.quote_id ELSE NEW.quote_id END;
    now_it_is text;
BEGIN
    -- Waits for whoever is sending it, and sees what became of it.
    SELECT state INTO now_it_is FROM quotes_quote WHERE id = row_of FOR SHARE;
    IF now_it_is <> 'draft' OR (TG_OP = 'UPDATE' AND OLD.quote_id <> NEW.quote_id) THEN
        RAISE EXCEPTION 'lines of a quote that is % do not change', now_it_is
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER lines_are_frozen BEFORE INSERT OR UPDATE OR DELETE ON quotes_quoteline
    FOR EACH ROW EXECUTE FUNCTION quotes_refuse_lines();
"""
THAW = """
DROP TRIGGER lines_are_frozen ON quotes_quoteline;
DROP FUNCTION quotes_refuse_lines();
DROP TRIGGER quotes_are_frozen ON quotes_quote;
DROP FUNCTION quotes_refuse_change();
"""


class Migration(migrations.Migration):
    """What was sent of a quote does not change, whoever writes to the database."""

    dependencies = [("quotes", "0001_quotes")]

    operations = [migrations.RunSQL(FREEZE, THAW)]
