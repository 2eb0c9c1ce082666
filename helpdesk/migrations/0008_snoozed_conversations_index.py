from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    """On a live database: nobody who writes conversations waits for either."""

    atomic = False
    dependencies = [("helpdesk", "0007_snooze_spam_time_and_custom_fields")]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                models.F("snoozed_until"),
                models.F("id"),
                condition=models.Q(snoozed_until__isnull=False),
                name="conversation_snoozed",
            ),
        ),
        ValidateConstraint(model_name="conversation", name="what_is_done_does_not_sleep"),
        ValidateConstraint(model_name="conversation", name="spam_is_done_with"),
    ]
