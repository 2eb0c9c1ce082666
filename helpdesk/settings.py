"""The settings, read from the environment. They end with the three tables that explain the system.

Logins, what leads outside, how rooms meet, the API and the workers have files of their own beside this one.
"""

from pathlib import Path

from helpdesk.settings_api import *  # noqa: F403
from helpdesk.settings_base import *  # noqa: F403
from helpdesk.settings_base import BASE_DIR, BEHIND_PROXY, DATA_DIR, PUBLIC_URL, SECURE, env, found, secret
from helpdesk.settings_logins import *  # noqa: F403
from helpdesk.settings_outside import *  # noqa: F403
from helpdesk.settings_outside import SLACK_BOT_TOKEN, SLACK_CHANNEL, SLACK_TICKETS
from helpdesk.settings_rooms import *  # noqa: F403
from helpdesk.settings_rooms import SOCIAL_NETWORKS
from helpdesk.settings_workers import *  # noqa: F403

SECRET_KEY = secret("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
SMTP_HOST = env.str("SMTP_HOST", default="127.0.0.1")
SMTP_PORT = env.int("SMTP_PORT", default=2525)
# LMTP for a mail server in front of us: a port, or the path of a unix socket.
LMTP_PORT = env.str("LMTP_PORT", default="")
# STARTTLS is offered where a certificate is given; without a key's own file it is in the certificate's.
SMTP_TLS_CERT = env.str("SMTP_TLS_CERT", default="")
SMTP_TLS_KEY = env.str("SMTP_TLS_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if PUBLIC_URL.startswith("http://127.") else [])
ALLOWED_HOSTS += [PUBLIC_URL.split("//", 1)[-1].split("/")[0].rsplit(":", 1)[0], "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

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
    "status",
    "knowledge",
    "portal",
    "quotes",
    "social",
    "phone",
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

_database = env.db_url_config(env.str("DATABASE_URL", default=found.get("DATABASE_URL", "")))
# A lost host must not hang a sweep or a health check for the two hours of TCP.
_database["OPTIONS"] = {"connect_timeout": 5, **_database.get("OPTIONS", {})}
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "helpdesk.database",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
# Off where a pooler gives a connection to somebody else after each transaction (PgBouncer's pool_mode = transaction).
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

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
    "default": {"BACKEND": "helpdesk.stored_files.WholeFiles"},
    "staticfiles": {"BACKEND": "helpdesk.static_files.HashedStaticFiles"},
}
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "attachments")))
DATA_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20

# ---------------------------------------------------------------------------------------------------------------------
# Three tables explain the system.

# How things come in and go out.
SUPPORT_CHANNELS = {
    "email": "tickets.mail.channel.EmailChannel",
    "form": "tickets.mail.channel.EmailChannel",
    "api": "tickets.mail.channel.EmailChannel",
    "portal": "tickets.mail.channel.EmailChannel",
    "forward": "tickets.mail.forwarding.ForwardChannel",
    "chat": "chat.channel.ChatChannel",
    "phone": "phone.channel.SmsChannel",
    "sms": "phone.channel.SmsChannel",
    **dict.fromkeys(SOCIAL_NETWORKS, "social.channel.SocialChannel"),
}

# Who follows much of what happens to a conversation: rules and webhooks, agents as they have chosen to be told (by push
# and mail from here, on open pages by the sockets), and each new ticket's line in Slack.
_WEBHOOKS = "helpdesk.conversations.telling.tell_webhooks"
_AUTOMATED = (_WEBHOOKS, "tickets.desk.rules.run_rules")
_AGENTS = "tickets.desk.notices.plan"
_IN_SLACK = ["chat.slack_tickets.tell"] if SLACK_TICKETS and SLACK_BOT_TOKEN and SLACK_CHANNEL else []

# What follows from what. A handler takes (event, at) and may be called twice.
EVENT_HANDLERS: dict[str, list[str]] = {
    # A conversation begins and goes on. A chat that comes in pages on-call and begins a thread in Slack, which follows
    # it until somebody is there and on. What an incident has caused belongs to it.
    "conversation.opened": [
        "helpdesk.conversations.receivers.page_outside_hours",
        "tickets.receivers.acknowledge",
        "chat.arrivals.tell",
        *_IN_SLACK,
        "status.telling.link_opened",
        _AGENTS,
        *_AUTOMATED,
    ],
    "conversation.begun": [*_AUTOMATED],
    "message.received": [
        "helpdesk.conversations.receivers.page_outside_hours",
        "tickets.receivers.tell_assignee",
        "chat.arrivals.tell",
        "status.telling.note_still_broken",
        _AGENTS,
        *_AUTOMATED,
    ],
    "message.written": [
        "helpdesk.conversations.receivers.deliver",
        "helpdesk.conversations.receivers.resolve_page",
        "chat.following.join",
        "chat.continuity.plan_mail",
        "knowledge.using.note_sent",
        "chat.slack_threads.follow",
        *_AUTOMATED,
    ],
    "message.retried": ["helpdesk.conversations.receivers.deliver", "chat.continuity.plan_mail"],
    "message.forwarded": ["helpdesk.conversations.receivers.deliver"],
    "message.failed": [*_AUTOMATED],
    "message.taken_back": [_WEBHOOKS],
    "note.written": [_AGENTS, *_AUTOMATED],
    "mail.asked": ["tickets.mail.digests.send"],
    "notice.planned": ["tickets.desk.telling.push", "tickets.desk.telling.mail"],
    # What is done with it. Once it is solved the customer is asked how it was; a low rating calls whoever leads.
    "conversation.assigned": [
        "helpdesk.conversations.receivers.resolve_page",
        "tickets.receivers.tell_assignee",
        "chat.following.join",
        _AGENTS,
        *_AUTOMATED,
    ],
    "conversation.resolved": [
        "helpdesk.conversations.receivers.resolve_page",
        "chat.following.end",
        "helpdesk.ratings.asking.plan",
        *_AUTOMATED,
    ],
    "conversation.reopened": ["helpdesk.ratings.asking.unplan", *_AUTOMATED],
    "conversation.status_changed": ["helpdesk.ratings.asking.unplan", *_AUTOMATED],
    "conversation.services_named": ["status.telling.link_opened", *_AUTOMATED],
    "conversation.incident_linked": ["status.telling.tell_linked"],
    "conversation.merged": [_WEBHOOKS],
    "conversation.released": [*_AUTOMATED],
    "conversation.moved": [*_AUTOMATED],
    "conversation.prioritized": [*_AUTOMATED],
    "conversation.tagged": [*_AUTOMATED],
    "conversation.renamed": [*_AUTOMATED],
    "conversation.filled_in": [*_AUTOMATED],
    "conversation.snoozed": [*_AUTOMATED],
    "conversation.woken": [*_AUTOMATED],
    "conversation.idle": [*_AUTOMATED],
    "conversation.marked_as_spam": [*_AUTOMATED],
    "conversation.cleared_of_spam": [*_AUTOMATED],
    "rating.asked": [_WEBHOOKS],
    "rating.given": ["tickets.desk.low_ratings.call_leads", _WEBHOOKS],
    "quote.accepted": [_AGENTS, _WEBHOOKS],
    "quote.declined": [_AGENTS, _WEBHOOKS],
    "quote.upgrade_chosen": [_AGENTS, _WEBHOOKS],
    "quote.sent": [_WEBHOOKS],
    "quote.expired": [_WEBHOOKS],
    "quote.withdrawn": [_WEBHOOKS],
    # Promises.
    "clock.warned": [_AGENTS, *_AUTOMATED],
    "clock.breached": ["helpdesk.conversations.receivers.page_breach", *_AUTOMATED],
    "calendar.changed": ["helpdesk.sla.receivers.recalculate"],
    # Live chat.
    "chat.offered": [_AGENTS],
    "chat.nudged": [_AGENTS],
    "chat.joined": [
        "chat.offers.room_again",
        "chat.slack_threads.follow",
        "helpdesk.conversations.receivers.resolve_page",
    ],
    "chat.ended": ["chat.offers.room_again", "chat.slack_threads.follow", "chat.waiting.stop"],
    "chat.converted": [
        "chat.offers.room_again",
        "chat.continuity.plan_mail",
        "chat.slack_threads.follow",
        "chat.waiting.stop",
    ],
    "chat.handed_on": ["chat.offers.room_again"],
    "chat.left": ["chat.offers.room_again", "chat.slack_threads.follow", "chat.waiting.stop"],
    "chat.returned": ["chat.offers.room_again", "chat.arrivals.tell"],
    "chat.given_up": ["tickets.receivers.acknowledge"],
    "chat.booked": ["chat.booking_mails.tell"],
    "chat.rebooked": ["chat.booking_mails.tell"],
    "chat.booking_cancelled": ["chat.booking_mails.tell"],
    "chat.booking_reminded": ["chat.booking_mails.tell"],
    # The status page.
    "incident.published": [
        "status.telling.tell",
        "status.distributing.begin",
        "status.timers.settle",
        "status.exporting.follow",
        "social.announcing.follow_incident",
    ],
    "incident.proposed": ["tickets.desk.proposed.plan", "status.proposals_in_slack.tell"],
    "subscriber.asked": ["status.confirming.ask_for_it"],
    # The networks and the emergency phone: a voicemail is fetched once, an agent's phone rings to call back.
    "social.account_changed": ["social.telling.tell_admins"],
    "social.private_asked": ["social.moving.send"],
    "social.person_linked": ["social.claiming.thank"],
    "phone.recorded": ["phone.recordings.fetch"],
    "phone.picture_came": ["phone.pictures.fetch"],
    "phone.page_answered": ["phone.confirming.send"],
    "phone.callback_asked": ["phone.calling.place"],
    # Agents and customers sign in.
    "agent.invited": ["helpdesk.people.receivers.send_invitation"],
    "agent.login_changed": ["helpdesk.people.receivers.tell_of_change"],
    "password.reset_asked": ["helpdesk.people.receivers.send_reset"],
    "portal.sign_in_asked": ["portal.sign_in_mails.send"],
    "portal.came_in_anew": ["portal.sign_in_mails.tell_of_browser"],
    "portal.password_changed": ["portal.sign_in_mails.tell_of_password"],
    "portal.linking_asked": ["portal.linking.send_code"],
    "portal.export_asked": ["portal.exporting.make"],
    "portal.erasure_asked": ["portal.erasing.send"],
    "files.dropped": ["helpdesk.conversations.files.delete_unnamed"],
    # What providers tell us. A bot's buttons under pages are for who is on call, who also links their chat there: told
    # by a poll, or by the customers' webhook of the bot.
    "hook.pagerduty": ["helpdesk.oncall.receivers.apply_pagerduty"],
    "hook.slack": [
        "helpdesk.oncall.receivers.apply_slack",
        "chat.slack_replies.take_over",
        "chat.slack_replies.note_changes",
    ],
    "hook.status": ["status.signals.receivers.apply"],
    "hook.twilio": ["phone.receivers.apply"],
    "hook.telegram": ["helpdesk.oncall.telegram_updates.apply"],
    **{f"hook.social.{_network}": ["social.receivers.take"] for _network in SOCIAL_NETWORKS},
    "hook.social.telegram": ["social.receivers.take", "helpdesk.oncall.telegram_updates.apply"],
}

# What happens by itself; keep_promises does the first five too, from PostgreSQL alone, whenever the workers are silent.
CELERY_BEAT_SCHEDULE = {
    "file-mail": {"task": "tickets.tasks.file_mail", "schedule": 5},
    "sweep-clocks": {"task": "helpdesk.sla.tasks.sweep_clocks", "schedule": 3},
    "drain-outbox": {"task": "helpdesk.events.tasks.drain_outbox", "schedule": 3},
    "escalate-pages": {"task": "helpdesk.oncall.tasks.escalate_pages", "schedule": 3},
    "deliver-pages": {"task": "helpdesk.oncall.tasks.deliver_pages", "schedule": 3},
    "deliver-webhooks": {"task": "helpdesk.events.tasks.deliver_webhooks", "schedule": 5},
    "wake-snoozed": {"task": "helpdesk.conversations.tasks.wake_snoozed", "schedule": 10},
    "ask-for-ratings": {"task": "helpdesk.ratings.tasks.ask_for_ratings", "schedule": 30},
    "sweep-quotes": {"task": "quotes.tasks.sweep_quotes", "schedule": 30},
    "sweep-chats": {"task": "chat.tasks.sweep_chats", "schedule": 3},
    "tell-slack": {"task": "chat.tasks.tell_slack", "schedule": 5},
    "send-agents-away": {"task": "chat.tasks.send_agents_away", "schedule": 15},
    "reckon-reply-times": {"task": "chat.tasks.reckon_reply_times", "schedule": 300},
    "forget-visits": {"task": "chat.tasks.forget_visits", "schedule": 86400},
    "sweep-bookings": {"task": "chat.tasks.sweep_bookings", "schedule": 10},
    "sweep-incidents": {"task": "status.tasks.sweep_incidents", "schedule": 3},
    "plan-maintenance": {"task": "status.tasks.plan_maintenance", "schedule": 3600},
    "sweep-signals": {"task": "status.tasks.sweep_signals", "schedule": 5},
    "propose-incidents": {"task": "status.tasks.propose_incidents", "schedule": 30},
    "send-notices": {"task": "status.tasks.send_notices", "schedule": 3},
    "export-status": {"task": "status.tasks.export_status", "schedule": 15},
    "forget-readers": {"task": "knowledge.tasks.forget_readers", "schedule": 86400},
    "forget-subscribers": {"task": "status.tasks.forget_subscribers", "schedule": 86400},
    "file-arrivals": {"task": "social.tasks.file_arrivals", "schedule": 3},
    "poll-accounts": {"task": "social.tasks.poll_accounts", "schedule": 3},
    "announce": {"task": "social.tasks.announce", "schedule": 3},
    "moderate": {"task": "social.tasks.moderate", "schedule": 5},
    "fetch-media": {"task": "social.tasks.fetch_media", "schedule": 5},
    "check-accounts": {"task": "social.tasks.check_accounts", "schedule": 3600},
    "reconcile-phone": {"task": "phone.tasks.reconcile_phone", "schedule": 15},
    "probe-twilio": {"task": "phone.tasks.probe_twilio", "schedule": 900},
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
    "change-plans": {"task": "helpdesk.customers.tasks.change_plans", "schedule": 60},
    "forget-customer-sessions": {"task": "helpdesk.customers.tasks.forget_customer_sessions", "schedule": 86400},
    "tidy-portal": {"task": "portal.tasks.tidy", "schedule": 3600},
    "forget-sessions": {"task": "helpdesk.people.tasks.forget_sessions", "schedule": 86400},
    "audit-promises": {"task": "helpdesk.oncall.tasks.audit_promises", "schedule": 60},
}
