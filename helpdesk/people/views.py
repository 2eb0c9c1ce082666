"""The pages around logging in that are ours; the others are allauth's views with our templates."""

from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView
from allauth.core.ratelimit import consume_or_429
from allauth.mfa.base.views import IndexView
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from helpdesk.customers.models import User
from helpdesk.people import second_factor, sessions
from helpdesk.people.openid import PROVIDER, CheckedAdapter


class LogIn(LoginView):  # type: ignore[misc]  # allauth has no types
    template_name = "account/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sso = settings.OIDC_NAME if settings.OIDC_SERVER_URL else ""
        return {**super().get_context_data(**kwargs), "single_sign_on": sso}


log_in = LogIn.as_view()


@method_decorator(never_cache, name="dispatch")
class Security(IndexView):  # type: ignore[misc]
    """Everything that protects an agent's login, on one page."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        agent = self.request.user
        missing = second_factor.MISSING
        if missing in self.request.session and second_factor.has_one(agent):
            del self.request.session[missing]
        return {
            **super().get_context_data(**kwargs),
            "second_factor_missing": missing in self.request.session,
            "tied_since": SocialAccount.objects.filter(user=agent).values_list("date_joined", flat=True).first(),
            "sessions": sessions.sessions_of(agent, self.request.session.session_key),
        }


security = Security.as_view()


@login_required
@never_cache
@require_GET
def session_list(request: HttpRequest) -> HttpResponse:
    shown = sessions.sessions_of(_agent(request), request.session.session_key)
    return render(request, "usersessions/usersession_list.html", {"sessions": shown})


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    if not sessions.end(_agent(request), pk):
        raise Http404
    messages.success(request, _("The session has ended."))
    return redirect("usersessions_list")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    sessions.end_others(_agent(request), request.session.session_key)
    messages.success(request, _("All other sessions have ended."))
    return redirect("usersessions_list")


def _agent(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "login_required"
    return request.user


@never_cache
@require_POST
def start_single_sign_on(request: HttpRequest) -> HttpResponseBase:
    """A page that leads to the provider by itself. A redirect would not do: `form-action 'self'` stops it."""
    limited: HttpResponseBase | None = consume_or_429(request, action="login")
    if limited is not None:
        return limited
    provider = _provider(request)
    try:
        answer: HttpResponse = provider.redirect(request, AuthProcess.LOGIN, get_next_redirect_url(request))
    except (RequestException, OAuth2Error, KeyError) as error:
        return _refused(request, provider, error)
    if "Location" not in answer:
        return answer
    return render(request, "socialaccount/leaving.html", {"address": answer["Location"], "name": settings.OIDC_NAME})


@never_cache
@require_GET
def finish_single_sign_on(request: HttpRequest) -> HttpResponseBase:
    """The way back from the provider."""
    provider = _provider(request)
    try:
        answer: HttpResponseBase = OAuth2CallbackView.adapter_view(CheckedAdapter(request, PROVIDER))(request)
    except (RequestException, OAuth2Error, ValueError, KeyError, TypeError) as error:
        # What a provider sends that is no answer at all; everything else is shown by the view itself.
        return _refused(request, provider, error)
    return answer


def _refused(request: HttpRequest, provider: Any, error: Exception) -> HttpResponse:
    page: HttpResponse = render_authentication_error(request, provider, exception=error)
    return page


def _provider(request: HttpRequest) -> Any:
    try:
        return CheckedAdapter(request, PROVIDER).get_provider()
    except SocialApp.DoesNotExist:
        raise Http404 from None
