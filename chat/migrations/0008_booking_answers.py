from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_ratings_of_all_channels")]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="answer",
            field=models.CharField(
                blank=True,
                choices=[("accepted", "Accepted"), ("declined", "Declined"), ("tentative", "Tentative")],
                help_text="What the customer's calendar has answered to the time that holds now.",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="booking",
            name="answered_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
