from django.urls import path

from helpdesk import health

urlpatterns = [
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("healthz/paging", health.paging, name="paging_health"),
    path("healthz/mail", health.mail_intake, name="mail_health"),
    path("metrics", health.prometheus, name="metrics"),
]
