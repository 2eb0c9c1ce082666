"""The way in for uvicorn: pages and API, and the sockets of open pages."""

import os
from importlib import import_module

import django
from channels.routing import ProtocolTypeRouter
from django.conf import settings

from helpdesk import garbage
from helpdesk.behind_proxy import BehindProxy
from helpdesk.threaded_requests import ThreadedRequests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
django.setup(set_prefix=False)

from chat.routing import DIRECT, http, websockets  # noqa: E402 - rooms have models, which want Django set up
from knowledge.cached import HelpFirst  # noqa: E402
from status.cached import StatusFirst  # noqa: E402

# All pages are imported before the first is asked for: otherwise whoever comes back to a server that has just been
# started waits a second for it, on as many threads as ask.
import_module(settings.ROOT_URLCONF)
_pages_and_sockets = ProtocolTypeRouter({"http": http(ThreadedRequests(direct=DIRECT)), "websocket": websockets})
_known_first = StatusFirst(HelpFirst(_pages_and_sockets))
application = BehindProxy(_known_first) if settings.BEHIND_PROXY else _known_first
garbage.settle()
