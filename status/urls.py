from django.urls import path, re_path

from status import answers
from status.views import desk, desk_incident, distributions, hooks, joined, linked, mine, pages, subscriptions

app_name = "status"
urlpatterns = [
    path("chat/api/incidents", joined.for_visitor, name="for_visitor"),
    path("chat/api/incidents/<slug:public_id>/follow", joined.follow, name="follow"),
    path("desk/status/linking/", linked.link, name="link"),
    path("desk/status/linking/<int:pk>/end/", linked.unlink, name="unlink"),
    path("desk/status/incidents/<slug:public_id>/conversations/", linked.conversations, name="conversations"),
    path("desk/status/", desk.overview, name="desk"),
    path("desk/status/new/", desk.new, name="desk_new"),
    path("desk/status/proposals/<int:pk>/joining/", desk.join, name="desk_join"),
    path("desk/status/proposals/<int:pk>/dismissal/", desk.dismiss, name="desk_dismiss"),
    path("desk/status/incidents/<slug:public_id>/", desk_incident.incident, name="desk_incident"),
    path("desk/status/incidents/<slug:public_id>/change/", desk_incident.change, name="desk_change"),
    path("desk/status/incidents/<slug:public_id>/cancellation/", desk_incident.cancel, name="desk_cancel"),
    path("desk/status/incidents/<slug:public_id>/<slug:update_id>/", desk_incident.correct, name="desk_correct"),
    path(
        "desk/status/incidents/<slug:public_id>/<slug:update_id>/publication/",
        desk_incident.publish,
        name="desk_publish",
    ),
    path(
        "desk/status/incidents/<slug:public_id>/<slug:update_id>/discarding/",
        desk_incident.discard,
        name="desk_discard",
    ),
    path("hooks/status/<str:token>/", hooks.signal, name="signal_hook"),
    path("status/", pages.public, name="page"),
    path("status/mine/", mine.mine, name="mine"),
    path("status/incidents/<slug:public_id>/", pages.incident, name="incident"),
    path("status/subscribe/", subscriptions.subscribe, name="subscribe"),
    path("status/subscribe/sent/", subscriptions.asked, name="asked"),
    path("status/confirm/<str:token>/", subscriptions.confirm, name="confirm"),
    path("status/subscription/<str:token>/", subscriptions.subscription, name="subscription"),
    path("status/unsubscribe/<str:token>/", subscriptions.unsubscribe, name="unsubscribe"),
    path("desk/status/updates/<slug:public_id>/", distributions.distribution, name="distribution"),
    path("status/badge.svg", pages.public, {"path": "badge.svg"}, name="badge"),
    # Statuspage's own widget and other clients know only a host.
    re_path(rf"^(?P<path>{answers.API.pattern.replace('(', '(?:')})$", pages.public, name="api"),
    re_path(rf"^status/(?P<path>{answers.PATTERN})$", pages.public, name="public"),
]
