from django.urls import path, re_path

from knowledge.asked import PATTERNS
from knowledge.views import beside, desk, guides, public, reports, sent

app_name = "knowledge"
_files = r"^kb/files/(?P<public_id>[a-z0-9]{12})/(?P<name>[^/]{1,300})$"
urlpatterns = [
    path("", public.public, name="home"),
    path("kb/", public.public, name="top"),
    path("kb/suggest", sent.suggest, name="suggest"),
    path("kb/suggested", sent.suggested, name="suggested"),
    path("kb/answered/", sent.answered, name="answered"),
    path("kb/articles/<int:pk>/vote/", sent.vote, name="vote"),
    path("kb/articles/<int:pk>/comments/", sent.comment, name="comment"),
    path("kb/articles/<int:pk>/remarks/", sent.remark, name="remark"),
    re_path(_files, public.file, name="file"),
    path("desk/kb/", desk.overview, name="kb"),
    path("desk/kb/new/", desk.new, name="kb_new"),
    path("desk/kb/preview/", desk.preview, name="kb_preview"),
    path("desk/kb/comments/", desk.comments, name="kb_comments"),
    path("desk/kb/report/", reports.report, name="kb_report"),
    path("desk/kb/guides/", guides.overview, name="kb_guides"),
    path("desk/kb/guides/new/", guides.save, name="kb_new_guide"),
    path("desk/kb/guides/<int:pk>/", guides.guide, name="kb_guide"),
    path("desk/kb/guides/<int:pk>/save/", guides.save, name="kb_save_guide"),
    path("desk/kb/guides/<int:pk>/deletion/", guides.remove, name="kb_remove_guide"),
    path("desk/kb/guides/<int:pk>/moving/", guides.move, name="kb_move_guide"),
    path("desk/kb/guides/<int:pk>/steps/", guides.save_step, name="kb_save_step"),
    path("desk/kb/guides/<int:pk>/steps/deletion/", guides.remove_step, name="kb_remove_step"),
    path("desk/kb/<int:pk>/", desk.article, name="kb_article"),
    path("desk/kb/beside/<int:pk>/", beside.beside, name="kb_beside"),
    path("desk/kb/<int:pk>/reading/", beside.reading, name="kb_reading"),
    path("desk/kb/<int:pk>/insertion/", beside.insert, name="kb_insert"),
    path("desk/kb/<int:pk>/remarks/beside/", beside.remark, name="kb_remark_beside"),
    path("desk/kb/<int:pk>/files/", desk.add_files, name="kb_files"),
    path("desk/kb/<int:pk>/files/<slug:public_id>/deletion/", desk.remove_file, name="kb_remove_file"),
    path("desk/kb/<int:pk>/deletion/", desk.remove, name="kb_remove"),
    path("desk/kb/<int:pk>/versions/", desk.versions, name="kb_versions"),
    path("desk/kb/<int:pk>/restoring/", desk.restore, name="kb_restore"),
    path("desk/kb/<int:pk>/remarks/", desk.remark, name="kb_remark"),
    path("desk/kb/<int:pk>/remarks/<int:remark_id>/settling/", desk.settle, name="kb_settle"),
    # Every address that can be kept, as one list for both.
    *[
        re_path(f"^{pattern.pattern.removeprefix('/')}$", public.public, name=f"at_{kind}")
        for kind, pattern in PATTERNS.items()
    ],
]
