import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0013_agents_choose_single_keys")]

    operations = [
        migrations.CreateModel(
            name="Company",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(default="Helpdesk", max_length=120)),
                (
                    "logo_text",
                    models.CharField(blank=True, help_text="What stands where others have a logo.", max_length=40),
                ),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), default=list, size=None
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "companies",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="there_is_one_company")],
            },
        ),
    ]
