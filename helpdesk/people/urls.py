"""Logins. Only what agents need of allauth: no sign-up, no further addresses."""

from allauth.account import views as account
from allauth.socialaccount import views as social
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from helpdesk.people import views

urlpatterns = [
    path("desk/login/", views.log_in, name="login"),
    path("desk/login/", views.log_in, name="account_login"),
    path("desk/logout/", account.logout, name="logout"),
    path("desk/logout/", account.logout, name="account_logout"),
    path("accounts/security/", views.security, name="mfa_index"),
    # The overview lists the passkeys; allauth's own list of them leads there.
    path("accounts/security/webauthn/", RedirectView.as_view(pattern_name="mfa_index")),
    path("accounts/security/", include("allauth.mfa.urls")),
    path("accounts/sessions/", views.session_list, name="usersessions_list"),
    path("accounts/sessions/<int:pk>/end/", views.end_session, name="end_session"),
    path("accounts/sessions/others/end/", views.end_other_sessions, name="end_other_sessions"),
    path("accounts/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/", account.password_change, name="account_change_password"),
    path("accounts/password/first/", account.password_set, name="account_set_password"),
    path("accounts/password/reset/", account.password_reset, name="account_reset_password"),
    path("accounts/password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/(?P<uidb36>[0-9a-z]{1,13})-(?P<key>[0-9a-z-]{1,100})/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("accounts/sso/", views.start_single_sign_on, name="single_sign_on"),
    path("accounts/sso/callback/", views.finish_single_sign_on, name="single_sign_on_callback"),
    path("accounts/sso/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
]
