"""One settings file, read from the environment. It ends with the three tables that explain the system."""

from pathlib import Path

import environ

from helpdesk.embedded.environment import running_environment

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()

# Without DATABASE_URL this machine runs its own PostgreSQL and Valkey under DATA_DIR (`make run`, the tests).
EMBEDDED = "DATABASE_URL" not in env.ENVIRON
_found = running_environment(DATA_DIR) if EMBEDDED else {}


def _secret(name: str) -> str:
    return env.str(name, default="") or _found.get(name, "")


SECRET_KEY = _secret("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
PORT = env.int("PORT", default=int(_found.get("PORT", 8000)))
SMTP_HOST = env.str("SMTP_HOST", default="127.0.0.1")
SMTP_PORT = env.int("SMTP_PORT", default=2525)
# LMTP for a mail server in front of us: a port, or the path of a unix socket.
LMTP_PORT = env.str("LMTP_PORT", default="")
# STARTTLS is offered where a certificate is given; without a key's own file it is in the certificate's.
SMTP_TLS_CERT = env.str("SMTP_TLS_CERT", default="")
SMTP_TLS_KEY = env.str("SMTP_TLS_KEY", default="")
PUBLIC_URL = env.str("PUBLIC_URL", default=_found.get("PUBLIC_URL", f"http://127.0.0.1:{PORT}")).rstrip("/")
HELPDESK_DEMO = env.bool("HELPDESK_DEMO", default=_found.get("HELPDESK_DEMO", "1") == "1" if EMBEDDED else False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if PUBLIC_URL.startswith("http://127.") else [])
ALLOWED_HOSTS += [PUBLIC_URL.split("//", 1)[-1].split("/")[0].rsplit(":", 1)[0], "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "anymail",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "helpdesk",
    "tickets",
    "chat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "helpdesk.people.second_factor.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "helpdesk.urls"
ASGI_APPLICATION = "helpdesk.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

_database = env.db_url_config(env.str("DATABASE_URL", default=_found.get("DATABASE_URL", "")))
# A lost host must not hang a sweep or a health check for the two hours of TCP.
_database["OPTIONS"] = {"connect_timeout": 5, **_database.get("OPTIONS", {})}
DATABASES = {
    "default": {**_database, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "DISABLE_SERVER_SIDE_CURSORS": True}
}
# Off where a pooler gives a connection to somebody else after each transaction (PgBouncer's pool_mode = transaction).
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", default=True)
REDIS_URL = env.str("REDIS_URL", default=_found.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "helpdesk.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "tickets:queue"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
# Failed logins and used codes are counted in PostgreSQL: over all processes, and when Redis is dead.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cached_counts",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

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
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("pt", "Português")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
# Where the office is, for what concerns nobody in particular.
OFFICE_TIME_ZONE = env.str("OFFICE_TIME_ZONE", default="Europe/Berlin")
USE_TZ = True

STATIC_URL = "/static/"
# Filled by `prepare_database` (or by the image's build), served by WhiteNoise.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "helpdesk.static_files.HashedStaticFiles"},
}
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "attachments")))
DATA_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20

# Mail. EMAIL_URL: smtp://, smtps://, or empty for files under DATA_DIR; ANYMAIL_* as anymail names them.
SENT_MAIL_DIR = DATA_DIR / "sent-mail"
EMAIL_URL = env.str("EMAIL_URL", default="")
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="tickets.mail.file_backend.EmailBackend")
if EMAIL_URL:
    _email = env.email_url_config(EMAIL_URL)
    EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"] or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"] or "", _email["EMAIL_HOST_PASSWORD"] or ""
    EMAIL_USE_TLS, EMAIL_USE_SSL = _email.get("EMAIL_USE_TLS", False), _email.get("EMAIL_USE_SSL", False)
    EMAIL_BACKEND = "helpdesk.events.smtp_backend.EmailBackend"
EMAIL_TIMEOUT = 10  # seconds for each step of SMTP
ANYMAIL = {
    # Half of the services cannot take a return path of ours; mail has to leave through them all the same.
    "IGNORE_UNSUPPORTED_FEATURES": True,
    **{name.removeprefix("ANYMAIL_"): value for name, value in env.ENVIRON.items() if name.startswith("ANYMAIL_")},
}
MAIL_SIZE_LIMIT = 35 * 1024 * 1024
# Authentication-Results are believed only from servers named here (RFC 8601 §5).
TRUSTED_AUTHSERV_IDS = env.list("TRUSTED_AUTHSERV_IDS", default=[])
# Where no such server speaks, we check DKIM signatures ourselves, by the DNS, if it matters who wrote.
VERIFY_DKIM = env.bool("VERIFY_DKIM", default=True)
MAIL_DOMAIN = env.str("MAIL_DOMAIN", default="demo.example")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Helpdesk <helpdesk@{MAIL_DOMAIN}>")

PAGERDUTY_ROUTING_KEY = env.str("PAGERDUTY_ROUTING_KEY", default="")
PAGERDUTY_WEBHOOK_SECRET = env.str("PAGERDUTY_WEBHOOK_SECRET", default="")
PAGERDUTY_BASE_URL = env.str("PAGERDUTY_BASE_URL", default="https://events.pagerduty.com")
PAGERDUTY_API_TOKEN = env.str("PAGERDUTY_API_TOKEN", default="")
PAGERDUTY_API_BASE_URL = env.str("PAGERDUTY_API_BASE_URL", default="https://api.pagerduty.com")
SLACK_BOT_TOKEN = env.str("SLACK_BOT_TOKEN", default="")
SLACK_SIGNING_SECRET = env.str("SLACK_SIGNING_SECRET", default="")
SLACK_CHANNEL = env.str("SLACK_CHANNEL", default="")
SLACK_BASE_URL = env.str("SLACK_BASE_URL", default="https://slack.com/api/")
DEAD_MAN_URL = env.str("DEAD_MAN_URL", default="")
# Networks that webhooks may lead into although they are not public, comma-separated. Nobody but this machine reaches a
# helpdesk on loopback, so there it may call this machine.
WEBHOOK_ALLOW_PRIVATE = env.str(
    "WEBHOOK_ALLOW_PRIVATE", default="127.0.0.0/8,::1/128" if PUBLIC_URL.startswith("http://127.") else ""
)

# A dead broker must cost a request next to nothing: short timeouts, no retries. The promise is in PostgreSQL anyway.
_REDIS_PATIENCE = {"socket_connect_timeout": 0.3, "socket_timeout": 5, "retry_on_timeout": False}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {**_REDIS_PATIENCE, "visibility_timeout": 300, "max_retries": 0}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, **_REDIS_PATIENCE}]},
    }
}

# What open pages are told besides events. Rooms do not know each other: these are the desk's functions for the sockets
# and the sockets' for the desk (docs/live.md).
LIVE_DESK = {
    "counts": "tickets.desk.counts.for_agent",
    "notices": "tickets.desk.notices.live",
    "looking": "chat.presence.looking",
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "helpdesk.customers.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "helpdesk.customers.permissions.IsAgent",
        "helpdesk.conversations.api_permissions.SeesConversation",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["helpdesk.api_input.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "helpdesk.api_errors.answer_error",
    "DEFAULT_PAGINATION_CLASS": "helpdesk.customers.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Helpdesk API",
    "DESCRIPTION": "Conversations, customers, clocks and pages. Times are ISO 8601 in UTC; lists are cursor-paginated.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    # Fields of one name with different choices need names of their own.
    "ENUM_NAME_OVERRIDES": {
        "ServiceKind": "helpdesk.customers.models.Service.Kind",
        "MessageKind": "helpdesk.conversations.models.Message.Kind",
        "NewMessageKind": [("outbound", "Outbound"), ("note", "Note")],
        "PersonKind": "helpdesk.conversations.models.Message.Author",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}

# How long an agent can take a reply back from the desk before it leaves.
UNDO_SEND_SECONDS = env.int("UNDO_SEND_SECONDS", default=10)

# ---------------------------------------------------------------------------------------------------------------------
# Three tables explain the system.

# How things come in and go out.
SUPPORT_CHANNELS = {
    "email": "tickets.mail.channel.EmailChannel",
    "form": "tickets.mail.channel.EmailChannel",
    "api": "tickets.mail.channel.EmailChannel",
    "forward": "tickets.mail.forwarding.ForwardChannel",
}

# What follows from what. A handler takes (event, at) and may be called twice.
EVENT_HANDLERS = {
    "conversation.opened": [
        "helpdesk.conversations.receivers.page_outside_hours",
        "tickets.receivers.acknowledge",
    ],
    "message.received": ["helpdesk.conversations.receivers.page_outside_hours", "tickets.receivers.tell_assignee"],
    "message.written": [
        "helpdesk.conversations.receivers.deliver",
        "helpdesk.conversations.receivers.resolve_page",
    ],
    "message.retried": ["helpdesk.conversations.receivers.deliver"],
    "message.forwarded": ["helpdesk.conversations.receivers.deliver"],
    "conversation.assigned": ["helpdesk.conversations.receivers.resolve_page", "tickets.receivers.tell_assignee"],
    "conversation.resolved": ["helpdesk.conversations.receivers.resolve_page"],
    "agent.invited": ["helpdesk.people.receivers.send_invitation"],
    "agent.login_changed": ["helpdesk.people.receivers.tell_of_change"],
    "password.reset_asked": ["helpdesk.people.receivers.send_reset"],
    "clock.breached": ["helpdesk.conversations.receivers.page_breach"],
    "calendar.changed": ["helpdesk.sla.receivers.recalculate"],
    "hook.pagerduty": ["helpdesk.oncall.receivers.apply_pagerduty"],
    "hook.slack": ["helpdesk.oncall.receivers.apply_slack"],
    "notice.planned": ["tickets.desk.telling.push", "tickets.desk.telling.mail"],
}

# Agents are told of these as they have chosen: by push and by mail from here, on open pages by the sockets.
for _kind in ("conversation.opened", "message.received", "note.written", "conversation.assigned", "clock.warned"):
    EVENT_HANDLERS[_kind] = [*EVENT_HANDLERS.get(_kind, []), "tickets.desk.notices.plan"]

# What agents see of a conversation may set off a rule or be told to a webhook; a conversation that nobody touches for a
# while is found by a sweep.
_AUTOMATED = ("helpdesk.conversations.telling.tell_webhooks", "tickets.desk.rules.run_rules")
for _kind in (
    *("conversation.opened", "conversation.reopened", "conversation.resolved", "conversation.status_changed"),
    *("conversation.assigned", "conversation.released", "conversation.moved", "conversation.prioritized"),
    *("conversation.tagged", "conversation.services_named", "conversation.renamed", "conversation.filled_in"),
    *("conversation.snoozed", "conversation.woken", "conversation.idle"),
    *("conversation.marked_as_spam", "conversation.cleared_of_spam"),
    *("message.received", "message.written", "message.failed", "note.written", "clock.warned", "clock.breached"),
):
    EVENT_HANDLERS[_kind] = [*EVENT_HANDLERS.get(_kind, []), *_AUTOMATED]
for _kind in ("conversation.merged", "message.taken_back"):
    EVENT_HANDLERS[_kind] = [*EVENT_HANDLERS.get(_kind, []), _AUTOMATED[0]]

# What happens by itself; keep_promises does the first five too, from PostgreSQL alone, whenever the workers are silent.
CELERY_BEAT_SCHEDULE = {
    "file-mail": {"task": "tickets.tasks.file_mail", "schedule": 5},
    "sweep-clocks": {"task": "helpdesk.sla.tasks.sweep_clocks", "schedule": 3},
    "drain-outbox": {"task": "helpdesk.events.tasks.drain_outbox", "schedule": 3},
    "escalate-pages": {"task": "helpdesk.oncall.tasks.escalate_pages", "schedule": 3},
    "deliver-pages": {"task": "helpdesk.oncall.tasks.deliver_pages", "schedule": 3},
    "deliver-webhooks": {"task": "helpdesk.events.tasks.deliver_webhooks", "schedule": 5},
    "wake-snoozed": {"task": "helpdesk.conversations.tasks.wake_snoozed", "schedule": 10},
    "poll-mailboxes": {"task": "tickets.tasks.poll_mailboxes", "schedule": 60},
    "plan-shifts": {"task": "helpdesk.oncall.tasks.plan_shifts", "schedule": 3600},
    "remind-of-rotas": {"task": "helpdesk.oncall.tasks.remind_of_rotas", "schedule": 60},
    "reconcile-pagerduty": {"task": "helpdesk.oncall.tasks.reconcile_pagerduty", "schedule": 60},
    "renew-holidays": {"task": "helpdesk.sla.tasks.renew_holidays", "schedule": 86400},
    "find-idle": {"task": "tickets.tasks.find_idle", "schedule": 60},
    "keep-figures": {"task": "tickets.tasks.keep_figures", "schedule": 15},
    "forget-rule-runs": {"task": "tickets.tasks.forget_rule_runs", "schedule": 86400},
    "forget-webhook-deliveries": {"task": "helpdesk.events.tasks.forget_webhook_deliveries", "schedule": 86400},
    "forget-counts": {"task": "tickets.tasks.forget_counts", "schedule": 86400},
    "forget-sessions": {"task": "helpdesk.people.tasks.forget_sessions", "schedule": 86400},
    "audit-promises": {"task": "helpdesk.oncall.tasks.audit_promises", "schedule": 60},
}
