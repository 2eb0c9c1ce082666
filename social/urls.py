from django.urls import path

from social.views.hooks import hook

app_name = "social"
urlpatterns = [
    *(
        path(f"hooks/{name}/", hook(name), name=f"hook_{name}")
        for name in ("x", "facebook", "whatsapp", "telegram", "discourse")
    ),
]
