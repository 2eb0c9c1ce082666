from django.urls import path

from portal.views import content, conversations, entrance

app_name = "portal"
urlpatterns = [
    path("portal/", entrance.home, name="home"),
    path("portal/sign-in/", entrance.ask, name="ask"),
    path("portal/sign-in/code/<str:token>/", entrance.code, name="code"),
    path("portal/sign-in/link/<str:token>/", entrance.link, name="link"),
    path("portal/sign-out/", entrance.sign_out, name="sign_out"),
    path("portal/conversations/<int:pk>/", conversations.conversation, name="conversation"),
    path("portal/conversations/<int:pk>/news/", conversations.news, name="news"),
    path("portal/conversations/<int:pk>/answers/", conversations.answer, name="answer"),
    path("portal/conversations/<int:pk>/closing/", conversations.close, name="close"),
    path("portal/conversations/<int:pk>/reopening/", conversations.reopen, name="reopen"),
    path("portal/messages/<int:pk>/html/", content.html, name="message_html"),
    path("portal/messages/<int:pk>/full/", content.full_text, name="message_full"),
    path("portal/files/<int:pk>/", content.file, name="file"),
]
