from django.urls import path

from helpdesk.oncall import views

urlpatterns = [
    path("hooks/pagerduty/", views.pagerduty, name="pagerduty_hook"),
    path("hooks/slack/interactivity/", views.slack_interactivity, name="slack_interactivity"),
    path("hooks/slack/events/", views.slack_events, name="slack_events"),
    path("desk/on-call/<int:schedule_id>.ics", views.schedule_feed, name="schedule_feed"),
]
