"""One transaction an action: joined to the caller's where there is one, without a savepoint of its own.

An error ends the whole transaction either way, so the two statements a savepoint costs would buy nothing.
"""

from functools import partial

from django.db import transaction

in_transaction = partial(transaction.atomic, savepoint=False)
