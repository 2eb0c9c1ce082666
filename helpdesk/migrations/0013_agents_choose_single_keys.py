from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0012_events_in_commit_order")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="single_keys",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Single letters are keys of the desk (WCAG 2.1.4: may be switched off).",
            ),
        ),
    ]
