"""Redis, the workers, the sockets' layer, and what everybody logs."""

from helpdesk.settings_base import env, found

REDIS_URL = env.str("REDIS_URL", default=found.get("REDIS_URL", "redis://127.0.0.1:6379/0"))

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

# An answer that stays unseen in the chat's panel for so many seconds (60 to 600) goes out by mail.
CHAT_MAIL_AFTER = min(max(env.int("CHAT_MAIL_AFTER", default=90), 60), 600)
