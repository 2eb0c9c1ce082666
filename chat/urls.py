from django.urls import path

from chat.api import bookings, conversations, files, mails, sessions
from chat.views import bookings as booking_pages
from chat.views import desk, grants, pages, profile, slack
from chat.views.settings import slack as slack_pages

app_name = "chat"
urlpatterns = [
    path("desk/chats/", desk.overview, name="chats"),
    path("desk/chats/state/", desk.state, name="agent_state"),
    path("desk/chats/profile/", profile.profile, name="profile"),
    path("desk/chats/profile/picture/", profile.own_picture, name="own_picture"),
    path("desk/chats/<int:pk>/taking/", desk.take, name="take"),
    path("desk/chats/<int:pk>/taking-over/", desk.take_over, name="take_over"),
    path("desk/chats/<int:pk>/declining/", desk.decline, name="decline"),
    path("desk/chats/<int:pk>/hold/", desk.hold, name="hold"),
    path("desk/chats/<int:pk>/anything-else/", desk.anything_else, name="anything_else"),
    path("desk/chats/<int:pk>/end/", desk.end, name="end_chat"),
    path("desk/chats/<int:pk>/ticket/", desk.convert, name="convert"),
    path("desk/chats/<int:pk>/handing-on/", desk.hand_on, name="hand_on"),
    path("desk/settings/slack/", slack_pages.slack, name="slack_settings"),
    path("desk/settings/slack/trying/", slack_pages.try_slack, name="try_slack"),
    path("hooks/slack/commands/", slack.commands, name="slack_commands"),
    path("chat/", pages.full_page, name="page"),
    path("chat/loader.js", pages.loader, name="loader"),
    path("chat/bookings/<str:token>/", booking_pages.booking, name="booking"),
    path("chat/config", pages.config, name="config"),
    path("chat/frame/", pages.frame, name="frame"),
    path("chat/pictures/<int:pk>/<slug:digest>", pages.picture, name="picture"),
    path("chat/files/<str:token>", files.file, name="file"),
    path("desk/customers/<int:pk>/live-chat/", grants.live_chat, name="live_chat"),
    path("chat/api/session", sessions.session, name="session"),
    path("chat/api/resume", sessions.resume, name="resume"),
    path("chat/api/slots", bookings.offered, name="slots"),
    path("chat/api/bookings", bookings.own, name="bookings"),
    path("chat/api/bookings/<uuid:public_id>/move", bookings.move, name="move_booking"),
    path("chat/api/bookings/<uuid:public_id>/cancellation", bookings.cancellation, name="cancel_booking"),
    path("chat/api/uploads", files.upload, name="upload"),
    path("chat/api/conversations", conversations.conversations, name="conversations"),
    path("chat/api/conversations/<uuid:public_id>/messages", conversations.messages, name="messages"),
    path("chat/api/conversations/<uuid:public_id>/thread", conversations.thread, name="thread"),
    path("chat/api/conversations/<uuid:public_id>/read", conversations.read, name="read"),
    path("chat/api/conversations/<uuid:public_id>/whispers", conversations.whisper, name="whispers"),
    path("chat/api/conversations/<uuid:public_id>/transcript", mails.transcript, name="transcript"),
    path("chat/api/conversations/<uuid:public_id>/address", mails.address, name="address"),
    path("chat/api/conversations/<uuid:public_id>/end", conversations.end, name="end"),
    path("chat/api/conversations/<uuid:public_id>/csat", conversations.rating, name="rating"),
]
