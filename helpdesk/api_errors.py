"""Every error of the API is JSON with a reason, also those the framework would answer with a page."""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from helpdesk.conversations.handling import NotFilledIn

logger = logging.getLogger(__name__)


def answer_error(error: Exception, context: dict[str, Any]) -> Response:
    """What the framework knows in its words; what the database refuses as 400 or 409; the rest logged, as 500.

    Whatever would resolve a conversation that lacks required fields is a 400 that names them by key under `custom`.
    """
    known = exception_handler(error, context)
    if known is not None:
        return known
    if isinstance(error, NotFilledIn):
        empty = {field.key: [_("%(field)s is empty.") % {"field": field.name}] for field in error.fields}
        return Response({"status": [str(error)], "custom": empty}, status=status.HTTP_400_BAD_REQUEST)
    code, reason = _judge(error)
    if code == status.HTTP_500_INTERNAL_SERVER_ERROR:
        logger.error("the API failed", exc_info=error)
    return Response({"detail": reason}, status=code)


def _judge(error: Exception) -> tuple[int, str]:
    match error:
        case RequestDataTooBig():
            return status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, "The request is too large."
        case SuspiciousOperation():
            # Too many files or fields, or a file's name no program of good will writes.
            return status.HTTP_400_BAD_REQUEST, f"The request cannot be read: {error}"
        case ProtectedError():
            kinds = sorted({str(found._meta.verbose_name) for found in error.protected_objects})
            return status.HTTP_409_CONFLICT, f"Still in use by at least one {', '.join(kinds)}."
        case IntegrityError():
            return status.HTTP_409_CONFLICT, f"This contradicts what is there already{_constraint(error)}."
        case ModelValidationError():
            return status.HTTP_400_BAD_REQUEST, " ".join(error.messages)
        case DataError():
            return status.HTTP_400_BAD_REQUEST, "A value is out of range."
    return status.HTTP_500_INTERNAL_SERVER_ERROR, "Something went wrong on our side; it has been logged."


def _constraint(error: IntegrityError) -> str:
    """The broken rule by its name, which says what it is about: `one_default_plan`."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return f" ({name})" if name else ""


@extend_schema(exclude=True)
class NothingHere(APIView):
    """Whatever is below /api/ and has no view. The answer is the same with and without a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound("There is nothing at this address. Addresses end in a slash; see /api/docs/.")
