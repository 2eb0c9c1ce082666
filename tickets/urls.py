from django.urls import path

from tickets.mail import webhooks
from tickets.views import content, conversation, front, ledger, on_call, pages, queue, search, sent_mail, work

app_name = "tickets"
urlpatterns = [
    path("", front.front, name="front"),
    path("tickets/new/", front.new_ticket, name="new"),
    path("tickets/new/thanks/", front.thanks, name="thanks"),
    path("desk/", queue.inbox_page, name="queue"),
    path("desk/rows/", queue.rows, name="rows"),
    path("desk/navigation/", queue.navigation, name="navigation"),
    path("desk/conversations/<int:pk>/", conversation.conversation, name="conversation"),
    path("desk/conversations/<int:pk>/news/", conversation.news, name="news"),
    path("desk/conversations/<int:pk>/older/", conversation.older, name="older"),
    path("desk/conversations/<int:pk>/messages/", work.answer, name="answer"),
    path("desk/conversations/<int:pk>/work/", work.work, name="work"),
    path("desk/conversations/<int:pk>/take/", work.take, name="take"),
    path("desk/clocks/<int:pk>/", conversation.clock, name="clock"),
    path("desk/messages/<int:pk>/html/", content.html, name="message_html"),
    path("desk/messages/<int:pk>/full/", content.full_text, name="message_full"),
    path("desk/messages/<int:pk>/retry/", work.retry, name="retry"),
    path("desk/attachments/<int:pk>/", content.attachment, name="attachment"),
    path("desk/search/", search.search_page, name="search"),
    path("desk/pages/", pages.page_list, name="pages"),
    path("desk/pages/<int:pk>/acknowledgement/", pages.acknowledge, name="acknowledge_page"),
    path("desk/pages/<int:pk>/resolution/", pages.resolve, name="resolve_page"),
    path("desk/on-call/", on_call.overview, name="on_call"),
    path("desk/on-call/stand-ins/", on_call.stand_in, name="stand_in"),
    path("desk/mail/", ledger.ledger, name="ledger"),
    path("desk/mail/<int:pk>/raw/", ledger.raw, name="raw_mail"),
    path("desk/mail/<int:pk>/replay/", ledger.replay, name="replay_mail"),
    path("desk/sent-mail/", sent_mail.sent_list, name="sent_mail"),
    path("desk/sent-mail/<str:name>/", sent_mail.sent_file, name="sent_file"),
    path("hooks/mail/<str:esp>/", webhooks.receive_hook, name="mail_hook"),
]
