"""A page remembers the provider's newest word; pages are found by key, messages by address, bad hooks at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("helpdesk", "0003_user_notify_by_email"),
    ]

    operations = [
        migrations.AddField(
            model_name="page",
            name="told_at",
            field=models.DateTimeField(
                help_text="The provider's newest word on it: older words change nothing.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="hook",
            index=models.Index(models.F("id"), condition=models.Q(("state", "quarantined")), name="hook_quarantined"),
        ),
        migrations.AddIndex(
            model_name="page",
            index=models.Index(models.F("dedup_key"), name="page_of_key"),
        ),
        migrations.AddIndex(
            model_name="pagedelivery",
            index=models.Index(
                models.F("channel"),
                models.F("due_at"),
                models.F("id"),
                condition=models.Q(("state", "pending")),
                name="page_delivery_next",
            ),
        ),
        migrations.AddIndex(
            model_name="pagedelivery",
            index=models.Index(
                models.F("to"),
                models.F("sent_at"),
                condition=models.Q(("action", "trigger"), ("state", "sent")),
                name="page_delivery_sent",
            ),
        ),
    ]
