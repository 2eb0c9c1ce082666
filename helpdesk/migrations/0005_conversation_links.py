"""Conversations that have to do with each other: related, parent and child, split off."""

import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("helpdesk", "0004_pages_remember"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConversationLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("related", "Related"), ("parent", "Parent"), ("split", "Split")], max_length=10
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="helpdesk.conversation"
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links_back",
                        to="helpdesk.conversation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("conversation", models.F("other")), _negated=True),
                        name="not_linked_to_itself",
                    ),
                    models.UniqueConstraint(
                        models.F("kind"),
                        django.db.models.functions.comparison.Least("conversation", "other"),
                        django.db.models.functions.comparison.Greatest("conversation", "other"),
                        name="one_link_a_pair_and_kind",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "parent")), fields=("other",), name="one_parent"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "split")), fields=("other",), name="split_off_once"
                    ),
                ],
            },
        ),
    ]
