"""`Authorization: Token …` for the API."""

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from helpdesk.customers.actions import digest
from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import ApiToken, User
from helpdesk.prepared import Prepared

# By hand, because it runs on every call and the ORM would take longer to write it than the database to answer.
_OWNER = Prepared(
    "owner_of_token",
    f"""
SELECT {columns(User, "agent")}
FROM {User._meta.db_table} agent JOIN {ApiToken._meta.db_table} token ON token.user_id = agent.id
WHERE token.digest = %s AND token.revoked_at IS NULL AND agent.is_active
""",
)


class ApiTokenAuthentication(BaseAuthentication):
    """Finds the agent of a token by its digest. A revoked token or a removed agent is refused at once."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"token":
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Write: Authorization: Token YOUR-TOKEN"))
        given = words[1].decode("latin-1")
        found = _OWNER.row([digest(given)])
        if found is None:
            raise AuthenticationFailed(_("This token is not valid."))
        return take(User, found)[0], None

    def authenticate_header(self, request: Request) -> str:
        return "Token"
