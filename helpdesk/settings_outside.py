"""How we speak with the world: mail, pagers, webhooks."""

from helpdesk.settings_base import DATA_DIR, HELPDESK_DEMO, PUBLIC_URL, env

# Where the public finds the status page; another address where its exported files are served by another host.
STATUS_URL = env.str("STATUS_URL", default=f"{PUBLIC_URL}/status").rstrip("/")

# So many tickets on one component within so many minutes propose an incident; 0 tickets propose none.
PROPOSE_INCIDENT_TICKETS = env.int("PROPOSE_INCIDENT_TICKETS", default=7)
PROPOSE_INCIDENT_MINUTES = env.int("PROPOSE_INCIDENT_MINUTES", default=10)

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
# Whether each new ticket is a line in that channel.
SLACK_TICKETS = env.bool("SLACK_TICKETS", default=True)
SLACK_BASE_URL = env.str("SLACK_BASE_URL", default="https://slack.com/api/")
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", default="")
TELEGRAM_BASE_URL = env.str("TELEGRAM_BASE_URL", default="https://api.telegram.org")
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_FROM = env.str("TWILIO_FROM", default="")
TWILIO_BASE_URL = env.str("TWILIO_BASE_URL", default="https://api.twilio.com")
DEAD_MAN_URL = env.str("DEAD_MAN_URL", default="")
# Networks that webhooks may lead into although they are not public, comma-separated: none. The demo on loopback, which
# nobody else reaches, may call this machine, so that webhooks can be tried without a server elsewhere.
_IS_TRIED_HERE = HELPDESK_DEMO and PUBLIC_URL.startswith("http://127.")
WEBHOOK_ALLOW_PRIVATE = env.str("WEBHOOK_ALLOW_PRIVATE", default="127.0.0.0/8,::1/128" if _IS_TRIED_HERE else "")

# Addresses and numbers that may stand in public answers; all others are held back.
PUBLIC_CONTACTS = env.list(
    "PUBLIC_CONTACTS", default=[f"{name}@{MAIL_DOMAIN}" for name in ("support", "info", "backoffice", "hosting")]
)

# The social networks: where their APIs are, and the accounts that the environment describes. An account is there once
# its secret is set; further ones are added on the settings pages.
SOCIAL_BASE_URLS = {
    "x": env.str("X_BASE_URL", default="https://api.x.com"),
    "facebook": env.str("FACEBOOK_BASE_URL", default="https://graph.facebook.com"),
    "whatsapp": env.str(
        "WHATSAPP_BASE_URL", default=env.str("FACEBOOK_BASE_URL", default="https://graph.facebook.com")
    ),
    "telegram": TELEGRAM_BASE_URL,
    "mastodon": env.str("MASTODON_BASE_URL", default=""),
    "bluesky": env.str("BLUESKY_BASE_URL", default="https://bsky.social"),
    "discourse": env.str("DISCOURSE_BASE_URL", default=""),
}
_SOCIAL_SECRETS = {
    "x": ("X_ACCESS_TOKEN", "X_CONSUMER_SECRET", "X_REFRESH_TOKEN", "X_CLIENT_ID", "X_CLIENT_SECRET", "X_BEARER_TOKEN"),
    "facebook": ("FACEBOOK_PAGE_TOKEN", "FACEBOOK_APP_SECRET", "FACEBOOK_VERIFY_TOKEN"),
    "whatsapp": ("WHATSAPP_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"),
    "telegram": ("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"),
    "mastodon": ("MASTODON_ACCESS_TOKEN",),
    "bluesky": ("BLUESKY_APP_PASSWORD",),
    "discourse": ("DISCOURSE_API_KEY", "DISCOURSE_WEBHOOK_SECRET"),
}
_SOCIAL_IDS = {
    "x": env.str("X_USER_ID", default=""),
    "facebook": env.str("FACEBOOK_PAGE_ID", default=""),
    "whatsapp": env.str("WHATSAPP_PHONE_NUMBER_ID", default=""),
}
_SOCIAL_HANDLES = {
    "x": env.str("X_HANDLE", default=""),
    "bluesky": env.str("BLUESKY_HANDLE", default=""),
    "discourse": env.str("DISCOURSE_USERNAME", default=""),
}
SOCIAL_ACCOUNTS = {
    name: {
        "external_id": _SOCIAL_IDS.get(name, ""),
        "handle": _SOCIAL_HANDLES.get(name, ""),
        "base_url": SOCIAL_BASE_URLS[name],
        "secrets": {variable.split("_", 1)[1].lower(): env.str(variable, default="") for variable in variables},
    }
    for name, variables in _SOCIAL_SECRETS.items()
    if any(env.str(variable, default="") for variable in variables)
}
