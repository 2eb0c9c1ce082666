"""Who may log in, and how: passwords, second factors, passkeys, single sign-on."""

from helpdesk.settings_base import BEHIND_PROXY, SECURE, env

AUTH_USER_MODEL = "helpdesk.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "tickets:queue"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "helpdesk.people.session_store"
AUTHENTICATION_BACKENDS = ["helpdesk.people.backend.AgentBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Logins (allauth). `User.email` is the login and the only address; agents are invited, nobody signs up.
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)
ACCOUNT_ADAPTER = "helpdesk.people.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "helpdesk.people.forms.LoginForm",
    "reset_password": "helpdesk.people.forms.ResetForm",
    "user_token": "helpdesk.people.forms.TokenForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# Each is counted for itself: an address (ip), an account (key), an agent (user).
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "30/5m/ip,10/15m/key",
    "reset_password": "10/15m/ip,3/15m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
}
MFA_ADAPTER = "helpdesk.people.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "add_webauthn": "helpdesk.people.forms.AddPasskeyForm",
    "authenticate_webauthn": "helpdesk.people.forms.AnswerForm",
    "login_webauthn": "helpdesk.people.forms.PasskeyLoginForm",
    "reauthenticate_webauthn": "helpdesk.people.forms.ProveForm",
    "edit_webauthn": "helpdesk.people.forms.RenameForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "Helpdesk"
# Browsers have passkeys without TLS on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
# Single sign-on by OpenID Connect.
OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", default="").rstrip("/")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env.str("OIDC_NAME", default="Single sign-on")
OIDC_CREATE_AGENTS = env.bool("OIDC_CREATE_AGENTS", default=False)
OIDC_TRUST_EMAIL = env.bool("OIDC_TRUST_EMAIL", default=False)
SOCIALACCOUNT_ADAPTER = "helpdesk.people.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ]
        if OIDC_SERVER_URL
        else [],
    }
}

# Single sign-on of customers in the portal, by a provider of theirs; off without an address.
CUSTOMER_OIDC_SERVER_URL = env.str("CUSTOMER_OIDC_SERVER_URL", default="").rstrip("/")
CUSTOMER_OIDC_CLIENT_ID = env.str("CUSTOMER_OIDC_CLIENT_ID", default="")
CUSTOMER_OIDC_CLIENT_SECRET = env.str("CUSTOMER_OIDC_CLIENT_SECRET", default="")
CUSTOMER_OIDC_NAME = env.str("CUSTOMER_OIDC_NAME", default="Single sign-on")
CUSTOMER_OIDC_CREATE_CUSTOMERS = env.bool("CUSTOMER_OIDC_CREATE_CUSTOMERS", default=False)
