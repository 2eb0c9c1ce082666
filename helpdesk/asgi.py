"""The way in for uvicorn: pages and API now, sockets when there are any."""

import os

import django

from helpdesk import garbage
from helpdesk.threaded_requests import ThreadedRequests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
django.setup(set_prefix=False)
application = ThreadedRequests()
garbage.settle()
