"""One transaction an action: joined to the caller's where there is one, without a savepoint of its own.

An error ends the whole transaction either way, so the two statements a savepoint costs would buy nothing.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import transaction

P = ParamSpec("P")
R = TypeVar("R")


def in_transaction(action: Callable[P, R]) -> Callable[P, R]:
    """Run the action in one transaction, the caller's if there is one."""
    joined: Callable[P, R] = transaction.atomic(savepoint=False)(action)
    return joined
