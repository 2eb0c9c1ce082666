from django.db import migrations, models


class Migration(migrations.Migration):
    """One mail of several messages that were said elsewhere, sent once."""

    dependencies = [
        ("helpdesk", "0012_events_in_commit_order"),
        ("tickets", "0010_agents_choose_how_loud"),
    ]

    operations = [
        migrations.CreateModel(
            name="Digest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=320)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                (
                    "conversation",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="helpdesk.conversation"),
                ),
                (
                    "event",
                    models.OneToOneField(on_delete=models.PROTECT, related_name="digest", to="helpdesk.event"),
                ),
            ],
        ),
    ]
