"""Keeping the records of customers: what the settings pages and the API change by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.customers import actions as customers
from helpdesk.customers.lookup import customer_of
from helpdesk.customers.models import Customer, Identity


class AlreadyKnown(ValueError):
    """Another customer has that address."""


@transaction.atomic
def add_customer(fields: Mapping[str, Any], *, at: datetime) -> Customer:
    """A customer entered by hand; `fields` are columns, an e-mail address becomes an identity. Raises AlreadyKnown."""
    email = fields.get("email", "").strip().lower()
    if not email:
        return Customer.objects.create(**fields, created_at=at)
    if customer_of("email", email) is not None:
        raise AlreadyKnown(f"{email} is a customer already")
    customer = customers.find_or_create_customer("email", email, fields.get("name", ""), at=at)
    return _write(customer, {**fields, "email": email})


@transaction.atomic
def change_customer(customer: Customer, fields: Mapping[str, Any]) -> Customer:
    """Change columns; a new e-mail address is answered to from now on, and the old one still finds the customer.

    Raises AlreadyKnown.
    """
    email = fields.get("email", customer.email).strip().lower()
    if email and email != customer.email:
        Identity.objects.bulk_create(
            [Identity(customer=customer, channel="email", handle=email)], ignore_conflicts=True
        )
        owner = customer_of("email", email)
        if owner is None or owner.pk != customer.pk:
            raise AlreadyKnown(f"{email} is another customer already")
    return _write(customer, {**fields, "email": email})


def _write(customer: Customer, fields: Mapping[str, Any]) -> Customer:
    for name, value in fields.items():
        setattr(customer, name, value)
    customer.save(update_fields=list(fields))
    return customer
