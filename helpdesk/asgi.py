"""The way in for uvicorn: pages and API, and the sockets of open pages."""

import os

import django
from channels.routing import ProtocolTypeRouter

from helpdesk import garbage
from helpdesk.threaded_requests import ThreadedRequests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
django.setup(set_prefix=False)

from chat.routing import websockets  # noqa: E402 - rooms have models, which want Django set up

application = ProtocolTypeRouter({"http": ThreadedRequests(), "websocket": websockets})
garbage.settle()
