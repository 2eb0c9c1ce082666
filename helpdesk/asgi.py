"""The way in for uvicorn: pages and API now, sockets when there are any."""

import os

from django.core.asgi import get_asgi_application

import helpdesk.celery  # noqa: F401 - so that a request's nudge finds the configured broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
application = get_asgi_application()
