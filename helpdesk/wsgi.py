"""The way in for WSGI workers in production: an ASGI request costs Django about 2 ms more."""

import os

from django.core.wsgi import get_wsgi_application

from helpdesk import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
application = get_wsgi_application()
garbage.settle()
