from django.urls import path, re_path

from knowledge.asked import PATTERNS
from knowledge.views import public, sent

app_name = "knowledge"
_files = r"^kb/files/(?P<public_id>[a-z0-9]{12})/(?P<name>[^/]{1,300})$"
urlpatterns = [
    path("", public.public, name="home"),
    path("kb/", public.public, name="top"),
    path("kb/suggest", sent.suggest, name="suggest"),
    path("kb/suggested", sent.suggested, name="suggested"),
    path("kb/articles/<int:pk>/vote/", sent.vote, name="vote"),
    path("kb/articles/<int:pk>/comments/", sent.comment, name="comment"),
    path("kb/articles/<int:pk>/remarks/", sent.remark, name="remark"),
    re_path(_files, public.file, name="file"),
    # Every address that can be kept, as one list for both.
    *[
        re_path(f"^{pattern.pattern.removeprefix('/')}$", public.public, name=f"at_{kind}")
        for kind, pattern in PATTERNS.items()
    ],
]
