from django.db import migrations, models


class Migration(migrations.Migration):
    """One row an agent at most: nothing has to be done by parts."""

    dependencies = [("tickets", "0009_wallboard_links_of_a_team")]

    operations = [
        migrations.AddField(
            "notificationchoice",
            "volume",
            models.PositiveSmallIntegerField(db_default=60, default=60, help_text="Of every sound, 0 to 100."),
        ),
        migrations.AddField(
            "notificationchoice",
            "rings_for_chats",
            models.BooleanField(db_default=True, default=True, help_text="Until somebody takes it."),
        ),
        migrations.AddField(
            "notificationchoice",
            "rings_for_urgent",
            models.BooleanField(db_default=False, default=False, help_text="Until somebody takes it."),
        ),
        migrations.AddConstraint(
            "notificationchoice",
            models.CheckConstraint(condition=models.Q(volume__lte=100), name="a_volume_is_a_percentage"),
        ),
    ]
