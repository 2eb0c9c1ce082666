"""The customer behind a handle, with organization and plan, each question in one prepared query.

They run for every message that comes in; the ORM would spend a millisecond on writing the same SQL each time.
"""

from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from helpdesk.customers.models import Customer, Identity, Organization, Plan

M = TypeVar("M", bound=Model)


# Read by the database's own search only, and as long as the text.
_NEVER_READ = ("search",)


def columns(model: type[Model], alias: str) -> str:
    """The columns of a model for a prepared query, to be read back with `take`. JSON columns come as text."""
    return ", ".join(f'{alias}."{field.column}"' for field in _fields(model))


def _fields(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name not in _NEVER_READ]


_FIND = f"""
SELECT {columns(Customer, "c")}, {columns(Organization, "o")}, {columns(Plan, "p")}
FROM {Identity._meta.db_table} i
JOIN {Customer._meta.db_table} c ON c.id = i.customer_id
LEFT JOIN {Organization._meta.db_table} o ON o.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} p ON p.id = o.plan_id
WHERE i.channel = %s AND i.handle = %s
"""
_DEFAULT_PLAN = f"SELECT {columns(Plan, 'p')} FROM {Plan._meta.db_table} p WHERE p.is_default"
# The one organization that claims the domain; none where two do. The handle decides who was first, not the customer.
_MAKE = f"""
WITH organization AS (
    SELECT min(id) AS id FROM {Organization._meta.db_table}
    WHERE %(domain)s <> '' AND domains @> ARRAY[%(domain)s]::varchar[] HAVING count(*) = 1
), customer AS (
    INSERT INTO {Customer._meta.db_table} (name, email, organization_id, language, timezone, notes, created_at)
    VALUES (%(name)s, %(email)s, (SELECT id FROM organization), '', '', '', %(at)s) RETURNING id
), identity AS (
    INSERT INTO {Identity._meta.db_table} (customer_id, channel, handle)
    SELECT id, %(channel)s, %(handle)s FROM customer ON CONFLICT (channel, handle) DO NOTHING RETURNING customer_id
)
SELECT customer.id, identity.customer_id FROM customer LEFT JOIN identity ON true
"""


def customer_of(channel: str, handle: str) -> Customer | None:
    """The customer a handle belongs to; organization and plan are loaded with it."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [channel, handle])
        row = cursor.fetchone()
    if row is None:
        return None
    customer, row = take(Customer, row)
    organization, row = take(Organization, row)
    plan, _ = take(Plan, row)
    if organization.pk is not None:
        organization.plan = plan
        customer.organization = organization
    return customer


def default_plan() -> Plan | None:
    """The plan of those who belong to no organization."""
    with connection.cursor() as cursor:
        cursor.execute(_DEFAULT_PLAN)
        row = cursor.fetchone()
    return take(Plan, row)[0] if row else None


def make_customer(channel: str, handle: str, name: str, *, at: datetime) -> int | None:
    """Insert a customer with this handle, in the organization whose mail domain it is. Where the handle was taken
    meanwhile, the id of the customer that is one too many; else None.
    """
    is_email = channel == "email"
    with connection.cursor() as cursor:
        cursor.execute(
            _MAKE,
            {
                "name": name[:200],
                "email": handle if is_email else "",
                "domain": handle.rpartition("@")[2] if is_email else "",
                "channel": channel,
                "handle": handle,
                "at": at,
            },
        )
        made, owner = cursor.fetchone()
    return made if owner is None else None


def take(model: type[M], row: tuple[Any, ...]) -> tuple[M, tuple[Any, ...]]:
    """The object at the front of a row, and the rest of the row."""
    names = [field.attname for field in _fields(model)]
    return model.from_db(connection.alias, names, row[: len(names)]), row[len(names) :]
