import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A signed token opens one session; agents see what a page told of its visitor."""

    dependencies = [("chat", "0004_booking_hours")]

    operations = [
        migrations.CreateModel(
            name="UsedToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField()),
                (
                    "widget",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="chat.widget"),
                ),
            ],
            options={
                "indexes": [models.Index(models.F("expires_at"), name="used_token_expires")],
                "constraints": [
                    models.UniqueConstraint(fields=("widget", "digest"), name="a_token_is_used_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PageEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("props", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                (
                    "visit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="page_events",
                        to="chat.visit",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("visit"), models.OrderBy(models.F("id"), descending=True), name="page_event_of_visit"
                    ),
                ],
            },
        ),
    ]
