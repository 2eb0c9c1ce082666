"""Where a message is moved to another conversation, what mail knows of it goes along, in the same statement."""

from django.db import migrations

FOLLOW = """
CREATE FUNCTION tickets_mail_follows_its_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The mailbox it is held in; it was acknowledged in its first conversation, or will be.
    INSERT INTO tickets_mailthread (conversation_id, mailbox_id, may_acknowledge, alert_key)
    SELECT NEW.conversation_id, mailbox_id, false, '' FROM tickets_mailthread
     WHERE conversation_id = OLD.conversation_id
    ON CONFLICT (conversation_id) DO NOTHING;
    UPDATE tickets_mailheader SET conversation_id = NEW.conversation_id WHERE message_id = NEW.id;
    UPDATE tickets_inboundemail SET conversation_id = NEW.conversation_id WHERE message_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER mail_follows_its_message AFTER UPDATE OF conversation_id ON helpdesk_message
    FOR EACH ROW WHEN (OLD.conversation_id IS DISTINCT FROM NEW.conversation_id)
    EXECUTE FUNCTION tickets_mail_follows_its_message();
"""

STAY = """
DROP TRIGGER mail_follows_its_message ON helpdesk_message;
DROP FUNCTION tickets_mail_follows_its_message();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0002_mailthread_may_acknowledge"),
        ("helpdesk", "0005_conversation_links"),
    ]

    operations = [migrations.RunSQL(FOLLOW, STAY)]
