from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0017_customers_sign_in")]

    operations = [
        migrations.CreateModel(
            name="RatingSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "is_on",
                    models.BooleanField(default=True, help_text="Ask by mail; chat and portal ask on their own pages."),
                ),
                (
                    "delay_minutes",
                    models.PositiveIntegerField(default=60, help_text="So long after it was solved."),
                ),
            ],
            options={
                "verbose_name_plural": "rating settings",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="rating_settings_are_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("delay_minutes__lte", 43200)), name="rating_delay_is_a_month_at_most"
                    ),
                ],
            },
        ),
    ]
