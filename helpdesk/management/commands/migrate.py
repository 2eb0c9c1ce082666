"""Django's own command; an empty database is made in a fraction of the time."""

from django.core.management.commands import migrate

from helpdesk.database.fresh import FreshExecutor

# The command takes its executor from its module's names: it has no other way in.
migrate.MigrationExecutor = FreshExecutor  # type: ignore[attr-defined]


class Command(migrate.Command):
    """`manage.py migrate`, with all its options."""
