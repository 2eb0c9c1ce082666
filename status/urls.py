from django.urls import URLPattern, URLResolver, include, path, re_path

from status import answers
from status.views import (
    desk,
    desk_incident,
    distributions,
    hooks,
    importing,
    joined,
    linked,
    mine,
    pages,
    subscriptions,
)

# By their beginnings: what is asked for elsewhere is compared with these alone.
_PUBLIC: list[URLPattern | URLResolver] = [
    path("", pages.public, name="page"),
    path("mine/", mine.mine, name="mine"),
    path("incidents/<slug:public_id>/", pages.incident, name="incident"),
    path("subscribe/", subscriptions.subscribe, name="subscribe"),
    path("subscribe/sent/", subscriptions.asked, name="asked"),
    path("confirm/<str:token>/", subscriptions.confirm, name="confirm"),
    path("subscription/<str:token>/", subscriptions.subscription, name="subscription"),
    path("unsubscribe/<str:token>/", subscriptions.unsubscribe, name="unsubscribe"),
    path("badge.svg", pages.public, {"path": "badge.svg"}, name="badge"),
    re_path(rf"^(?P<path>{answers.PATTERN})$", pages.public, name="public"),
]
_INCIDENT: list[URLPattern | URLResolver] = [
    path("", desk_incident.incident, name="desk_incident"),
    path("conversations/", linked.conversations, name="conversations"),
    path("change/", desk_incident.change, name="desk_change"),
    path("cancellation/", desk_incident.cancel, name="desk_cancel"),
    path("<slug:update_id>/", desk_incident.correct, name="desk_correct"),
    path("<slug:update_id>/publication/", desk_incident.publish, name="desk_publish"),
    path("<slug:update_id>/discarding/", desk_incident.discard, name="desk_discard"),
]
_DESK: list[URLPattern | URLResolver] = [
    path("", desk.overview, name="desk"),
    path("new/", desk.new, name="desk_new"),
    path("linking/", linked.link, name="link"),
    path("linking/<int:pk>/end/", linked.unlink, name="unlink"),
    path("proposals/<int:pk>/joining/", desk.join, name="desk_join"),
    path("proposals/<int:pk>/dismissal/", desk.dismiss, name="desk_dismiss"),
    path("incidents/<slug:public_id>/", include(_INCIDENT)),
    path("subscribers/", importing.subscribers, name="desk_import"),
    path("updates/<slug:public_id>/", distributions.distribution, name="distribution"),
]

app_name = "status"
urlpatterns = [
    path("status/", include(_PUBLIC)),
    path("desk/status/", include(_DESK)),
    path("chat/api/incidents", joined.for_visitor, name="for_visitor"),
    path("chat/api/incidents/<slug:public_id>/follow", joined.follow, name="follow"),
    path("hooks/status/<str:token>/", hooks.signal, name="signal_hook"),
    # Statuspage's own widget and other clients know only a host.
    re_path(rf"^(?P<path>{answers.API.pattern.replace('(', '(?:')})$", pages.public, name="api"),
]
