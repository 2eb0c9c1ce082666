"""The customer behind a handle, with organization and plan, each question in one prepared query.

They run for every message that comes in; the ORM would spend a millisecond on writing the same SQL each time.
"""

import json
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import JSONField, Model

from helpdesk.customers.models import Customer, Identity, Organization, Plan
from helpdesk.prepared import Prepared

M = TypeVar("M", bound=Model)


# Read by the database's own search only, and as long as the text.
_NEVER_READ = ("search",)


def columns(model: type[Model], alias: str) -> str:
    """The columns of a model for a prepared query, to be read back with `take`."""
    return ", ".join(f'{alias}."{field.column}"' for field in _fields(model))


def _fields(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name not in _NEVER_READ]


@cache
def _names(model: type[Model]) -> tuple[list[str], list[int]]:
    """The attributes of a model in the order of its columns, and which of them come as JSON's text."""
    fields = _fields(model)
    return [field.attname for field in fields], [i for i, one in enumerate(fields) if isinstance(one, JSONField)]


_FIND = Prepared(
    "find_customer",
    f"""
SELECT {columns(Customer, "c")}, {columns(Organization, "o")}, {columns(Plan, "p")}
FROM {Identity._meta.db_table} i
JOIN {Customer._meta.db_table} c ON c.id = i.customer_id
LEFT JOIN {Organization._meta.db_table} o ON o.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} p ON p.id = o.plan_id
WHERE i.channel = %s AND i.handle = %s
""",
)
# The one organization that claims the domain; none where two do. The handle decides who was first, not the customer.
_MAKE = Prepared(
    "make_customer",
    f"""
WITH organization AS (
    SELECT min(id) AS id FROM {Organization._meta.db_table}
    WHERE %(domain)s <> '' AND domains @> ARRAY[%(domain)s]::varchar[] HAVING count(*) = 1
), customer AS (
    INSERT INTO {Customer._meta.db_table} (name, email, organization_id, language, timezone, notes, created_at)
    VALUES (%(name)s, %(email)s, (SELECT id FROM organization), '', '', '', %(at)s) RETURNING *
), identity AS (
    INSERT INTO {Identity._meta.db_table} (customer_id, channel, handle)
    SELECT id, %(channel)s, %(handle)s FROM customer ON CONFLICT (channel, handle) DO NOTHING RETURNING customer_id
)
SELECT identity.customer_id IS NOT NULL, {columns(Customer, "c")}, {columns(Organization, "o")}, {columns(Plan, "p")}
FROM customer c LEFT JOIN identity ON true
LEFT JOIN {Organization._meta.db_table} o ON o.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} p ON p.id = o.plan_id
""",
)
_DEFAULT_PLAN = Prepared("default_plan", f"SELECT {columns(Plan, 'p')} FROM {Plan._meta.db_table} p WHERE is_default")


def default_plan() -> Plan | None:
    """The plan of whoever has none of their own, if one was marked."""
    row = _DEFAULT_PLAN.row()
    return None if row is None else take(Plan, row)[0]


def customer_of(channel: str, handle: str) -> Customer | None:
    """The customer a handle belongs to; organization and plan are loaded with it."""
    row = _FIND.row([channel, handle])
    return None if row is None else take_customer(row)


def take_customer(row: tuple[Any, ...]) -> Customer:
    """The customer whose columns, those of their organization and those of its plan are the row."""
    customer, row = take(Customer, row)
    if customer.organization_id is not None:
        organization, row = take(Organization, row)
        organization.plan, _ = take(Plan, row)
        customer.organization = organization
    return customer


def make_customer(channel: str, handle: str, name: str, *, at: datetime) -> tuple[Customer, bool]:
    """Insert a customer with this handle, in the organization whose mail domain it is; organization and plan are loaded
    with it. False where the handle was taken meanwhile: then this customer is one too many.
    """
    is_email = channel == "email"
    row = _MAKE.row(
        {
            "name": name[:200],
            "email": handle if is_email else "",
            "domain": handle.rpartition("@")[2] if is_email else "",
            "channel": channel,
            "handle": handle,
            "at": at,
        }
    )
    assert row is not None, "a customer is inserted in any case"
    return take_customer(row[1:]), row[0]


def take(model: type[M], row: tuple[Any, ...]) -> tuple[M, tuple[Any, ...]]:
    """The object at the front of a row, and the rest of the row."""
    names, texts = _names(model)
    values = row[: len(names)]
    if texts:
        read = list(values)
        for i in texts:
            read[i] = None if read[i] is None else json.loads(read[i])
        values = tuple(read)
    return model.from_db(connection.alias, names, values), row[len(names) :]
