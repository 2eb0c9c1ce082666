from django.apps import AppConfig

import helpdesk.celery  # noqa: F401 - whatever process sets Django up can nudge the workers


class HelpdeskConfig(AppConfig):
    name = "helpdesk"
    default_auto_field = "django.db.models.BigAutoField"
