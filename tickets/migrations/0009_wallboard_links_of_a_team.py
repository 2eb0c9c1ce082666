import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A link may show one team alone, and says when it was used last. Links are few: nothing has to be done by parts."""

    dependencies = [("helpdesk", "0015_custom_fields"), ("tickets", "0008_custom_fields_are_the_grounds")]

    operations = [
        migrations.AddField("wallboardlink", "used_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "wallboardlink",
            "team",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="helpdesk.team",
            ),
        ),
    ]
