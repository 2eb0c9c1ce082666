import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A reply that is taken back is a draft again: what was put into it waits for the next one."""

    dependencies = [("knowledge", "0002_words_alike")]

    operations = [
        migrations.AlterField(
            model_name="used",
            name="message",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="helpdesk.message",
            ),
        ),
    ]
