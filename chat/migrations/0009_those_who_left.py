from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0008_booking_answers")]

    operations = [
        migrations.AddField(
            model_name="chat",
            name="unseen_since",
            field=models.DateTimeField(
                blank=True, help_text="While they waited: since when no page of theirs was there.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="chat",
            name="state",
            field=models.CharField(
                choices=[("waiting", "Waiting"), ("left", "Left"), ("active", "Active"), ("ended", "Ended")],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="chatdue",
            name="kind",
            field=models.CharField(
                choices=[
                    ("mail", "Mail"),
                    ("offer", "Offer"),
                    ("left", "Left"),
                    ("half", "Half"),
                    ("most", "Most"),
                    ("late", "Late"),
                    ("waits", "Waits"),
                    ("back", "Back"),
                    ("anything", "Anything"),
                    ("end", "End"),
                ],
                max_length=10,
            ),
        ),
    ]
