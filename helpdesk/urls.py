from django.urls import include, path

urlpatterns = [
    # First, because it has the fewest: each address that is asked for is compared with them in this order.
    path("", include("status.urls")),
    path("", include("phone.urls")),
    path("", include("knowledge.urls")),
    path("", include("tickets.urls")),
    path("", include("chat.urls")),
    path("", include("portal.urls")),
    path("", include("quotes.urls")),
    path("", include("helpdesk.ratings.urls")),
    path("", include("social.urls")),
    path("", include("helpdesk.oncall.urls")),
    path("", include("helpdesk.conversations.urls")),
    path("", include("helpdesk.health_urls")),
    path("api/", include("helpdesk.api_urls")),
    path("", include("helpdesk.people.urls")),
]
