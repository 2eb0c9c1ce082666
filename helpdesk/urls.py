from django.contrib.auth import views as auth
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("", include("tickets.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("desk/login/", auth.LoginView.as_view(template_name="desk/login.html"), name="login"),
    path("desk/logout/", auth.LogoutView.as_view(), name="logout"),
]
