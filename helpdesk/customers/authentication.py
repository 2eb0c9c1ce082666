"""`Authorization: Token …` for the API."""

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from helpdesk.customers.actions import digest
from helpdesk.customers.models import ApiToken, User


class ApiTokenAuthentication(BaseAuthentication):
    """Finds the agent of a token by its digest. A revoked token or a removed agent is refused at once."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"token":
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Write: Authorization: Token YOUR-TOKEN"))
        given = words[1].decode("latin-1")
        token = ApiToken.objects.select_related("user").filter(digest=digest(given), revoked_at=None).first()
        if token is None or not token.user.is_active:
            raise AuthenticationFailed(_("This token is not valid."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"
