from django.urls import path

from social.views import announcements, approvals, claims, coverage, desk, logging_by_hand, moderation
from social.views.hooks import hook

app_name = "social"
urlpatterns = [
    path("desk/social/conversations/<int:pk>/count/", desk.count, name="count"),
    path("desk/social/conversations/<int:pk>/ticket/", desk.ticket, name="ticket"),
    path("desk/social/conversations/<int:pk>/claim-link/", desk.claim_link, name="claim_link"),
    path("desk/social/conversations/<int:pk>/private/", desk.private, name="private"),
    path("desk/social/conversations/<int:pk>/moderate/", moderation.moderate, name="moderate"),
    path("desk/social/messages/<int:pk>/by-hand/", desk.posting_by_hand, name="by_hand"),
    path("desk/social/approvals/", approvals.approvals, name="approvals"),
    path("desk/social/approvals/<int:pk>/", approvals.decide, name="decide"),
    path("desk/social/approvals/files/<int:pk>/", approvals.file, name="approval_file"),
    path("desk/social/moderation/", moderation.moderation, name="moderation"),
    path("desk/social/moderation/<int:pk>/reversing/", moderation.reverse, name="reverse"),
    path("desk/social/moderation/<int:pk>/done/", moderation.done, name="done"),
    path("desk/social/log/", logging_by_hand.log, name="log"),
    path("social/claims/<str:token>/", claims.claim, name="claim"),
    path("desk/coverage/", coverage.board, name="coverage"),
    path("desk/announcements/", announcements.listed, name="announcements"),
    path("desk/announcements/new/", announcements.new, name="announcement_new"),
    path("desk/announcements/<int:pk>/", announcements.one, name="announcement"),
    path("desk/announcements/<int:pk>/edit/", announcements.edit, name="announcement_edit"),
    path("desk/announcements/<int:pk>/approval/", announcements.approve, name="announcement_approve"),
    path("desk/announcements/<int:pk>/withdrawal/", announcements.withdraw, name="announcement_withdraw"),
    path("desk/announcements/posts/<int:pk>/retry/", announcements.retry, name="announcement_retry"),
    path("desk/announcements/posts/<int:pk>/posted/", announcements.posted, name="announcement_posted"),
    *(
        path(f"hooks/{name}/", hook(name), name=f"hook_{name}")
        for name in ("x", "facebook", "whatsapp", "telegram", "discourse")
    ),
]
