from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("status", "0003_notices_by_kind")]

    operations = [
        migrations.AddField(
            "conversationnotice",
            "attempts",
            models.PositiveSmallIntegerField(default=0, help_text="How often it failed."),
        ),
        migrations.AddField(
            "conversationnotice",
            "retry_at",
            models.DateTimeField(blank=True, help_text="It could not be told, and is tried again.", null=True),
        ),
        migrations.AddIndex(
            "conversationnotice",
            models.Index(F("update"), F("retry_at"), name="conversations_to_tell", condition=Q(retry_at__isnull=False)),
        ),
        migrations.AddField(
            "notice",
            "leaving",
            models.DateTimeField(
                blank=True, help_text="The lease it left under, until that bite has ended well.", null=True
            ),
        ),
        migrations.AddField(
            "subscriber",
            "consent",
            models.CharField(
                blank=True,
                default="",
                help_text="Where somebody else has declared it, and by whom, for those imported.",
                max_length=200,
            ),
            preserve_default=False,
        ),
    ]
