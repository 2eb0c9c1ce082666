from django.urls import include, path

urlpatterns = [
    path("", include("tickets.urls")),
    path("", include("chat.urls")),
    path("", include("status.urls")),
    path("", include("helpdesk.oncall.urls")),
    path("", include("helpdesk.conversations.urls")),
    path("", include("helpdesk.health_urls")),
    path("api/", include("helpdesk.api_urls")),
    path("", include("helpdesk.people.urls")),
]
