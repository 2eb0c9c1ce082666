import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ONLY_ADD = """
CREATE FUNCTION helpdesk_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON helpdesk_auditentry
    FOR EACH ROW EXECUTE FUNCTION helpdesk_refuse_audit_change();
"""

ALLOW_CHANGES = """
DROP TRIGGER audit_is_append_only ON helpdesk_auditentry;
DROP FUNCTION helpdesk_refuse_audit_change();
"""


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0010_names_by_likeness")]

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("url", models.CharField(max_length=2048)),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        help_text="The kinds of events it is told of.",
                        size=None,
                    ),
                ),
                (
                    "includes_private",
                    models.BooleanField(default=False, help_text="Also conversations of private teams."),
                ),
                ("secret", models.TextField()),
                ("old_secret", models.TextField(blank=True)),
                ("old_secret_until", models.DateTimeField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                (
                    "trouble",
                    models.CharField(blank=True, help_text="Why it was switched off, or fails.", max_length=300),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                (
                    "message_id",
                    models.UUIDField(
                        default=uuid.uuid4, help_text="The header webhook-id, the same each time.", unique=True
                    ),
                ),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("delivered", "Delivered"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                (
                    "milliseconds",
                    models.PositiveIntegerField(blank=True, help_text="How long the last attempt took.", null=True),
                ),
                (
                    "status",
                    models.PositiveSmallIntegerField(blank=True, help_text="The last answer's HTTP status.", null=True),
                ),
                ("response", models.TextField(blank=True, help_text="The beginning of the last answer.")),
                ("error", models.CharField(blank=True, max_length=500)),
                (
                    "event",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="helpdesk.event",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="helpdesk.webhook"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("action", models.CharField(help_text="created, changed, deleted …", max_length=40)),
                ("kind", models.CharField(help_text="What was changed: plan, mailbox, user …", max_length=40)),
                ("thing_id", models.BigIntegerField(blank=True, null=True)),
                ("name", models.CharField(help_text="What it was called then.", max_length=200)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "indexes": [
                    models.Index(
                        models.F("kind"),
                        models.F("thing_id"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_of_thing",
                    ),
                    models.Index(
                        models.F("actor"), models.OrderBy(models.F("id"), descending=True), name="audit_of_actor"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(("kinds", []), _negated=True), name="a_webhook_is_told_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("old_secret", ""), ("old_secret_until", None)),
                    models.Q(models.Q(("old_secret", ""), _negated=True), ("old_secret_until__isnull", False)),
                    _connector="OR",
                ),
                name="an_old_secret_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                models.F("webhook"),
                models.F("due_at"),
                models.F("id"),
                condition=models.Q(("state", "pending")),
                name="webhook_delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                models.F("webhook"), models.OrderBy(models.F("id"), descending=True), name="deliveries_of_webhook"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(models.F("created_at"), name="webhook_delivery_age"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(fields=("webhook", "event"), name="told_once_a_webhook"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("state", "pending")),
                    models.Q(models.Q(("state", "pending"), _negated=True), ("due_at", None)),
                    _connector="OR",
                ),
                name="a_webhook_delivery_waits_or_ended",
            ),
        ),
        migrations.RunSQL(ONLY_ADD, ALLOW_CHANGES),
    ]
