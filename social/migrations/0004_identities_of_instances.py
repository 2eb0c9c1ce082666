"""On networks of many instances a person's id is good on one alone: the handle of their identity says on which."""

from urllib.parse import urlsplit

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model

_NETWORKS = ("mastodon", "discourse", "feed")


def name_instances(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Each row in turn, so that nobody waits. Two people who were taken for one keep one customer, known by both."""
    identities = apps.get_model("helpdesk", "Identity").objects.all()
    people = apps.get_model("social", "Person").objects.filter(account__network__in=_NETWORKS)
    hosts = {account.pk: _host(account) for account in apps.get_model("social", "Account").objects.all()}
    for person in people.select_related("account").order_by("pk").iterator():
        channel, before = person.account.network, person.external_id
        known = identities.filter(channel=channel, handle=before).first()
        identities.get_or_create(
            channel=channel,
            handle=f"{hosts[person.account_id]}:{before}"[:320],
            defaults={"customer_id": person.customer_id, "verified_at": known.verified_at if known else None},
        )
    for network in _NETWORKS:
        named = people.filter(account__network=network).values("external_id")
        identities.filter(channel=network, handle__in=named).delete()


def _host(account: Model) -> str:
    given = account.base_url or settings.SOCIAL_BASE_URLS.get(account.network, "")  # type: ignore[attr-defined]
    if account.is_from_environment:  # type: ignore[attr-defined]
        given = settings.SOCIAL_ACCOUNTS.get(account.network, {}).get("base_url") or given  # type: ignore[attr-defined]
    return urlsplit(given).netloc.lower() or f"account {account.pk}"


class Migration(migrations.Migration):
    dependencies = [("social", "0003_albums"), ("helpdesk", "0023_audit_forgets_customers")]
    operations = [migrations.RunPython(name_instances, migrations.RunPython.noop, elidable=True)]
