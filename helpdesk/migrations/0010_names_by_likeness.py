from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Names of people and files are found in spite of typos, and by any part of them."""

    atomic = False
    dependencies = [("helpdesk", "0009_risk_and_channel_indexes")]

    operations = [
        TrigramExtension(),
        AddIndexConcurrently(
            model_name="customer",
            index=GinIndex(
                fields=["name", "email"], name="customer_sounds_like", opclasses=["gin_trgm_ops", "gin_trgm_ops"]
            ),
        ),
        AddIndexConcurrently(
            model_name="attachment",
            index=GinIndex(fields=["name"], name="attachment_name_like", opclasses=["gin_trgm_ops"]),
        ),
    ]
