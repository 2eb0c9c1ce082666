"""The door of the visitors' HTTP interface: a bearer token or nothing; JSON in, JSON out, and errors that say why."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from chat import limits, sessions, widgets
from chat.models import Visit
from chat.texts import loaded

LARGEST_BODY: Final = 64 * 1024
P = ParamSpec("P")


class VisitorRequest(HttpRequest):
    """A request of a session."""

    visit: Visit


class Refused(Exception):
    """The answer to a request that cannot be followed. A lazy `detail` is read by visitors, in their language; others
    by developers.
    """

    def __init__(self, status: int, code: str, detail: object, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.body = status, {"code": code, "detail": detail, **more}

    def response(self) -> JsonResponse:
        response = JsonResponse(self.body, status=self.status)
        if "retry" in self.body:
            response["Retry-After"] = str(max(1, round(self.body["retry"] / 1000)))
        return response


def public_view(*methods: str) -> Callable[[Callable[Concatenate[HttpRequest, P], HttpResponse]], Any]:
    """A view for anybody, by these methods; `Refused` becomes its answer. No cookie is looked at."""

    def decorate(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Any:
        @csrf_exempt
        @wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in methods:
                refusal = Refused(405, "method", f"This is for {' and '.join(methods)}.").response()
                refusal["Allow"] = ", ".join(methods)
                return refusal
            try:
                response = view(request, *args, **kwargs)
            except Refused as refused:
                response = refused.response()
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return checked

    return decorate


def visitor_view(*methods: str) -> Callable[[Callable[Concatenate[VisitorRequest, P], HttpResponse]], Any]:
    """The same for a session: `Authorization: Bearer …` opens it, as `request.visit`."""

    def decorate(view: Callable[Concatenate[VisitorRequest, P], HttpResponse]) -> Any:
        def opened(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            visit = visit_of(request)
            if visit is None:
                raise Refused(401, "session", "This session has ended or never was.")
            theirs = cast(VisitorRequest, request)
            theirs.visit = visit
            try:
                return view(theirs, *args, **kwargs)
            except Refused as refused:
                with translation.override(widgets.language_of(visit.language)):
                    return refused.response()

        return public_view(*methods)(opened)

    return decorate


def visit_of(request: HttpRequest) -> Visit | None:
    """The session whose token the request bears."""
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    return sessions.visit_of(token.strip(), now()) if scheme.lower() == "bearer" else None


def body_of(request: HttpRequest) -> Mapping[str, Any]:
    """The JSON object that was sent. Raises Refused."""
    if len(request.body) > LARGEST_BODY:
        raise Refused(413, "size", f"A request has {LARGEST_BODY // 1024} kB at most.")
    try:
        given = loaded((request.body or b"{}").decode())
    except ValueError:
        raise Refused(400, "json", "The body is no JSON.") from None
    if not isinstance(given, dict):
        raise Refused(400, "json", "The body is an object.")
    return given


def text_of(given: Mapping[str, Any], name: str, longest: int) -> str:
    """A text, empty where there is none. Raises Refused."""
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(422, "field", f"{name} is a text of at most {longest} characters.", field=name)
    return value.replace("\x00", "")


def email_in(text: str) -> str:
    """One address that mail can be sent to: a list of them would let a stranger write to many. Raises Refused."""
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refused(422, "email", gettext_lazy("That does not look like an e-mail address."), field="email") from None
    return address


def uuid_of(given: Mapping[str, Any], name: str) -> UUID:
    """A UUID. Raises Refused."""
    value = given.get(name)
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            pass
    raise Refused(422, "field", f"{name} is a UUID.", field=name)


def uuids_of(given: Mapping[str, Any], name: str, most: int) -> list[UUID]:
    """A list of UUIDs, empty where there is none. Raises Refused."""
    value = given.get(name) or []
    if not isinstance(value, list) or len(value) > most:
        raise Refused(422, "field", f"{name} is a list of at most {most} ids.", field=name)
    return [uuid_of({name: one}, name) for one in value]


def number_of(request: HttpRequest, name: str, default: int, most: int) -> int:
    """A whole number from the query. Raises Refused."""
    text = request.GET.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Refused(400, "field", f"{name} is a whole number.", field=name)
    return min(int(text), most)


def within(limit: limits.Limit, key: str) -> None:
    """Raises Refused when there was too much of this, saying when it goes on."""
    wait = limits.take(limit, key)
    if wait:
        detail = gettext_lazy("That was a little too fast; please try again.")
        raise Refused(429, "rate", detail, retry=int(wait * 1000) + 1)


def own_origin(request: HttpRequest) -> str:
    """This helpdesk's, as browsers write it (RFC 6454)."""
    return f"{request.scheme}://{request.get_host()}"


def is_own(request: HttpRequest, origin: str) -> bool:
    """Whether an origin is this helpdesk's, seen from here or from outside."""
    return origin in (own_origin(request), settings.PUBLIC_URL)


def address_of(request: HttpRequest) -> str:
    """Where the request comes from, as far as the server in front lets us know."""
    address: str = request.META.get("REMOTE_ADDR", "")
    return address
