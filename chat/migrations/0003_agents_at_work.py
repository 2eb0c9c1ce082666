"""What agents were last reminded of in a chat; when an agent was last connected, and whether Enter sends for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_mail_links_and_slack_threads")]

    operations = [
        migrations.AddField(
            "chat",
            "nudge",
            models.CharField(
                blank=True,
                default="",
                help_text="What the agents were last reminded of, until it is done.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            "chatagent",
            "connected_at",
            models.DateTimeField(blank=True, help_text="When a page of theirs was last open.", null=True),
        ),
        migrations.AddField(
            "chatagent",
            "enter_sends",
            models.BooleanField(default=True, help_text="Enter sends in chats; Shift and Enter begin a line."),
        ),
    ]
