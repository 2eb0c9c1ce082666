from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What open pages read the log by: the order in which transactions were begun, below those still running."""

    atomic = False
    dependencies = [("helpdesk", "0011_audit_and_webhooks")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(models.F("transaction_id"), models.F("id"), name="event_in_commit_order"),
        ),
    ]
