"""A site with django-helpdesk in it, run by the Python of its own environment: DATABASE_URL COMMAND [ARGUMENTS].

Each command prints one line of JSON. Our code is not imported here: both packages are called `helpdesk`.
"""

import json
import logging
import sys
import time
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

DATABASE = urlsplit(sys.argv[1])


def configure() -> None:
    settings.configure(
        SECRET_KEY="bench",
        DEBUG=False,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="django_helpdesk_urls",
        HELPDESK_TEAMS_MODE_ENABLED=False,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": DATABASE.path.lstrip("/"),
                "USER": DATABASE.username,
                "HOST": parse_qs(DATABASE.query)["host"][0],
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.sites",
            "django.contrib.messages",
            "django.contrib.admin",
            "django.contrib.humanize",
            "django.contrib.staticfiles",
            "rest_framework",
            "helpdesk",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        STATIC_URL="/static/",
        MEDIA_ROOT="media",
        SITE_ID=1,
        USE_TZ=True,
        LOGIN_URL="/login/",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        LOGGING_CONFIG=None,
    )
    logging.disable(logging.ERROR)
    django.setup()


def prepare() -> dict[str, object]:
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from helpdesk.models import Queue

    call_command("migrate", verbosity=0, interactive=False)
    User.objects.create_superuser("ada", "ada@demo.example", "demo")
    Queue.objects.create(
        title="Support",
        slug="support",
        email_address="support@demo.example",
        allow_email_submission=True,
        email_box_type="local",
        email_box_interval=0,
        logging_type="none",
    )
    return {}


def file(folder: str) -> dict[str, object]:
    from django.core.management import call_command

    from helpdesk.models import Queue, Ticket

    Queue.objects.update(email_box_local_dir=folder, email_box_last_check=None)
    before = Ticket.objects.count()
    began, cpu = time.perf_counter(), time.process_time()
    call_command("get_email", quiet=True)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu": cpu, "tickets": Ticket.objects.count() - before}


FILL = """
INSERT INTO helpdesk_ticket (id, title, created, modified, submitter_email, status, on_hold, description, resolution,
    priority, queue_id, secret_key, assigned_to_id)
SELECT i, left(t.body, 60), now() - i * interval '1 minute', now() - i * interval '30 seconds',
    'p' || i %% 20000 || '@c' || i %% 50 || '.example', CASE WHEN i * 7919 %% 100 < 34 THEN 1 ELSE 4 END, false,
    t.body, '', 3, (SELECT min(id) FROM helpdesk_queue), 'secret', CASE WHEN i %% 3 > 0 THEN 1 END
FROM generate_series(1, %(tickets)s) i JOIN texts t ON t.n = i %% %(texts)s;
INSERT INTO helpdesk_followup (date, title, comment, public, new_status, ticket_id, user_id, message_id)
SELECT now() - i * interval '1 minute' + m * interval '10 seconds', 'Comment', t.body, true, null, i,
    CASE WHEN m %% 2 = 0 THEN 1 END, 'm' || i || '.' || m
FROM generate_series(1, %(tickets)s) i CROSS JOIN generate_series(1, %(messages)s) m
JOIN texts t ON t.n = (i + m) %% %(texts)s;
"""


def fill(tickets: str, messages: str) -> dict[str, object]:
    from django.db import connection

    words = ["alpha", "network", "server", "refund", "printer", "invoice", "backup", "domain", "mail", "website"]
    texts = [" ".join(words[(n * k + k) % 10] + str(n * k % 97) for k in range(1, 120)) for n in range(500)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE texts (n int PRIMARY KEY, body text)")
        cursor.executemany("INSERT INTO texts VALUES (%s, %s)", list(enumerate(texts)))
        cursor.execute(FILL, {"tickets": int(tickets), "messages": int(messages), "texts": len(texts)})
        cursor.execute("SELECT setval(pg_get_serial_sequence('helpdesk_ticket', 'id'), %s)", [int(tickets)])
        cursor.execute("VACUUM ANALYZE")
    return {}


def request(page: str, requests: str) -> dict[str, object]:
    from django.contrib.auth.models import User
    from django.test import Client

    from helpdesk.models import Ticket
    from helpdesk.query import query_to_base64

    client = Client()
    client.force_login(User.objects.get(username="ada"))
    wanted = {"filtering": {"status__in": [1, 2]}, "sorting": "created", "search_string": "", "sortreverse": False}
    rows = f"/datatables_ticket_list/{query_to_base64(wanted)}?draw=1&start=0&length=50"
    rows += "&order[0][column]=0&order[0][dir]=asc&search[value]="
    count = Ticket.objects.count()

    def go(number: int) -> None:
        paths = ["/tickets/", rows] if page == "list" else [f"/tickets/{number * 7919 % count + 1}/"]
        for one in paths:
            response = client.get(one)
            assert response.status_code == 200, (one, response.status_code, response.content[:300])

    for number in range(3):
        go(number)
    times, cpu = [], time.process_time()
    for number in range(int(requests)):
        began = time.perf_counter()
        go(number)
        times.append((time.perf_counter() - began) * 1000)
    cpu = time.process_time() - cpu
    times.sort()
    return {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)], "cpu": cpu}


if __name__ == "__main__":
    configure()
    command = {"prepare": prepare, "file": file, "fill": fill, "request": request}[sys.argv[2]]
    print(json.dumps(command(*sys.argv[3:])))
