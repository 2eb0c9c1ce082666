from django.db import migrations

_MOVE = """
ALTER TABLE tickets_customfield RENAME TO helpdesk_customfield;
ALTER SEQUENCE tickets_customfield_id_seq RENAME TO helpdesk_customfield_id_seq;
"""
_BACK = """
ALTER TABLE helpdesk_customfield RENAME TO tickets_customfield;
ALTER SEQUENCE helpdesk_customfield_id_seq RENAME TO tickets_customfield_id_seq;
"""


class Migration(migrations.Migration):
    """Where conversations are resolved it must be known what has to be filled in: the table goes down, rows and all."""

    dependencies = [("tickets", "0007_reports")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel("CustomField")],
            database_operations=[migrations.RunSQL(_MOVE, _BACK)],
        )
    ]
