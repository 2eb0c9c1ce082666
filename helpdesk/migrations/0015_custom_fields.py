import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """The table was the desk's; its migration 0008 has renamed it."""

    dependencies = [
        ("helpdesk", "0014_company"),
        ("tickets", "0008_custom_fields_are_the_grounds"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="CustomField",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.SlugField(max_length=40, unique=True)),
                        ("name", models.CharField(max_length=80)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("text", "Text"),
                                    ("number", "Number"),
                                    ("choice", "Choice"),
                                    ("date", "Date"),
                                    ("yes_no", "Yes No"),
                                ],
                                default="text",
                                max_length=10,
                            ),
                        ),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=80), blank=True, default=list, size=None
                            ),
                        ),
                        (
                            "is_required",
                            models.BooleanField(
                                default=False, help_text="Must be filled in before a conversation is resolved."
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True)),
                        ("position", models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        "ordering": ["position", "name", "id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "choice"), _negated=True),
                                    models.Q(("choices", []), _negated=True),
                                    _connector="OR",
                                ),
                                name="a_choice_has_choices",
                            )
                        ],
                    },
                ),
            ]
        )
    ]
