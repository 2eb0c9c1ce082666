from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("helpdesk", "0011_audit_and_webhooks"),
        ("tickets", "0004_the_desk"),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="idle_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="rule",
            name="idle_hours",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="rule",
            name="idle_id",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="rulerun",
            name="state",
            field=models.CharField(
                choices=[("done", "Done"), ("failed", "Failed"), ("skipped", "Skipped")],
                db_default="done",
                default="done",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="rulerun",
            index=models.Index(
                models.F("conversation"),
                models.F("at"),
                condition=models.Q(state="done"),
                name="rule_runs_of_conversation",
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(event="conversation.idle", idle_at__isnull=False, idle_hours__gt=0)
                | models.Q(~models.Q(event="conversation.idle"), idle_at=None, idle_hours=None),
                name="an_idle_rule_says_how_long",
            ),
        ),
    ]
