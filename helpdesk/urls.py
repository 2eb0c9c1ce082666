from django.contrib.auth import views as auth
from django.urls import include, path

urlpatterns = [
    path("", include("tickets.urls")),
    path("", include("helpdesk.oncall.urls")),
    path("", include("helpdesk.conversations.urls")),
    path("", include("helpdesk.health_urls")),
    path("api/", include("helpdesk.api_urls")),
    path("desk/login/", auth.LoginView.as_view(template_name="desk/login.html"), name="login"),
    path("desk/logout/", auth.LogoutView.as_view(), name="logout"),
]
