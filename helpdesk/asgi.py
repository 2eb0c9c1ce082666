"""The way in for uvicorn: pages and API now, sockets when there are any."""

import os

from django.core.asgi import get_asgi_application

from helpdesk import garbage
from helpdesk.kept_threads import KeptThreads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
application = KeptThreads(get_asgi_application())
garbage.settle()
