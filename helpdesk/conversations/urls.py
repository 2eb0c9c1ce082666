from django.urls import path

from helpdesk.conversations import views

urlpatterns = [path("pages/acknowledge/<str:token>/", views.acknowledge_page, name="acknowledge_page")]
