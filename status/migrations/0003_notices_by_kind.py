from django.db import migrations, models
from django.db.models import F, Q

_KINDS = [("email", "Email"), ("webhook", "Webhook"), ("slack", "Slack"), ("telegram", "Telegram")]


class Migration(migrations.Migration):
    dependencies = [("status", "0002_reminders_and_occurrences")]

    operations = [
        migrations.AddField(
            "notice",
            "kind",
            models.CharField(
                choices=_KINDS,
                default="email",
                help_text="The subscriber's: webhooks wait behind no 100,000 mails.",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.RemoveIndex("notice", "notices_due"),
        migrations.AddIndex(
            "notice", models.Index(F("kind"), F("due_at"), F("id"), name="notices_due", condition=Q(status="pending"))
        ),
        migrations.AddIndex("notice", models.Index(F("update"), name="notices_waiting", condition=Q(status="pending"))),
        migrations.AddIndex("notice", models.Index(F("sent_at"), name="notices_sent", condition=Q(status="sent"))),
        migrations.AddIndex("subscriber", models.Index(F("asked_at"), name="subscribers_asked")),
    ]
