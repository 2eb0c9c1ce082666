from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What the estimate of a widget is reckoned from every five minutes."""

    atomic = False
    dependencies = [("chat", "0005_used_tokens_and_page_events")]

    operations = [
        AddIndexConcurrently(
            model_name="chat",
            index=models.Index(
                models.F("widget"),
                models.OrderBy(models.F("started_at"), descending=True),
                models.OrderBy(models.F("conversation"), descending=True),
                condition=models.Q(joined_at__isnull=False),
                name="chat_answered",
            ),
        ),
    ]
