import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("helpdesk", "0019_agent_addresses"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="unwanted_mails",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                blank=True,
                db_default=[],
                default=list,
                help_text="Kinds of mails that the customer does not want (helpdesk.customers.mail_choices).",
                size=None,
            ),
        ),
    ]
