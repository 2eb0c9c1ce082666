from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_OPEN = models.Q(warned_at__isnull=False, due_at__isnull=False, met_at__isnull=True, cancelled_at__isnull=True)

_ANALYZE_IF_LARGE = """
DO $$ BEGIN
    IF (SELECT count(*) FROM (SELECT FROM helpdesk_conversation LIMIT 10000) AS first_ones) = 10000 THEN
        ANALYZE helpdesk_conversation;
        ANALYZE helpdesk_clock;
    END IF;
END $$
"""


class Migration(migrations.Migration):
    """What views by risk and by channel are read from."""

    atomic = False
    dependencies = [("helpdesk", "0008_snoozed_conversations_index")]

    operations = [
        AddIndexConcurrently(
            model_name="clock",
            index=models.Index(models.F("due_at"), models.F("conversation"), condition=_OPEN, name="clock_at_risk"),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                models.F("channel"),
                models.OrderBy(models.F("next_due_at"), nulls_last=True),
                models.F("id"),
                condition=models.Q(status__in=["new", "open"]),
                name="queue_of_channel",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                models.OrderBy(models.F("next_due_at"), nulls_last=True),
                models.F("id"),
                condition=models.Q(status__in=["new", "open", "pending", "on_hold"], assignee__isnull=True),
                name="queue_nobodys",
            ),
        ),
        RemoveIndexConcurrently(model_name="conversation", name="queue_unassigned"),
        # Of columns that it has not looked at the planner believes the worst, and sorts a million rows for a page.
        # A table that it has seen empty it reads as a whole, though, until it looks again: not on a first installation.
        migrations.RunSQL(_ANALYZE_IF_LARGE, migrations.RunSQL.noop),
    ]
