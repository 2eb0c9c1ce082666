from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("helpdesk", "0006_next_due_only_if_it_moved"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="custom",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, help_text="Values of the desk's custom fields."
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="is_spam",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="conversation",
            name="minutes_spent",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="conversation",
            name="snoozed_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="team",
            name="is_private",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Only its members and admins see its conversations."
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=[("admin", "Admin"), ("agent", "Agent"), ("viewer", "Viewer")], default="agent", max_length=10
            ),
        ),
        # Without looking at the rows that are there, so that nothing waits; the next migration looks.
        AddConstraintNotValid(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(snoozed_until=None) | ~models.Q(status__in=["resolved", "closed"]),
                name="what_is_done_does_not_sleep",
            ),
        ),
        AddConstraintNotValid(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(is_spam=False) | models.Q(status__in=["resolved", "closed"]),
                name="spam_is_done_with",
            ),
        ),
    ]
