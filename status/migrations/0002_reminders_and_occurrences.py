from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("status", "0001_status_page")]

    operations = [
        migrations.RemoveConstraint("incident", "one_window_a_time"),
        migrations.AddField(
            "incident",
            "occurs_at",
            models.DateTimeField(
                blank=True, null=True, help_text="When its series meant it to begin, wherever it was moved to since."
            ),
        ),
        migrations.AddConstraint(
            "incident", models.UniqueConstraint(fields=["series", "occurs_at"], name="one_window_a_time")
        ),
        migrations.AddField(
            "incidentupdate",
            "is_reminder",
            models.BooleanField(
                default=False, help_text="Told before a maintenance begins, and shown nowhere: it says nothing new."
            ),
        ),
    ]
