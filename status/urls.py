from django.urls import path, re_path

from status import answers
from status.views import pages

app_name = "status"
urlpatterns = [
    path("status/", pages.public, name="page"),
    path("status/incidents/<slug:public_id>/", pages.incident, name="incident"),
    path("status/badge.svg", pages.public, {"path": "badge.svg"}, name="badge"),
    re_path(rf"^status/(?P<path>{answers.PATTERN})$", pages.public, name="public"),
]
