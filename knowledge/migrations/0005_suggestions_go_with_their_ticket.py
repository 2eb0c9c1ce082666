import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Django deletes the rows itself: nothing changes in the database."""

    dependencies = [("knowledge", "0004_heading_words_known")]

    operations = [
        migrations.AlterField(
            model_name="suggested",
            name="conversation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="helpdesk.conversation",
            ),
        ),
    ]
