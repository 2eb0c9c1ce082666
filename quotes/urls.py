from django.urls import path

from quotes.views import customers, desk

app_name = "quotes"
urlpatterns = [
    path("quotes/", customers.mine, name="mine"),
    path("quotes/<int:pk>/", customers.show, name="show"),
    path("quotes/<int:pk>/pdf/", customers.show_pdf, name="own_quote_pdf"),
    path("quotes/link/<str:token>/", customers.by_link, name="quote_by_link"),
    path("quotes/link/<str:token>/pdf/", customers.by_link_pdf, name="quote_link_pdf"),
    path("desk/quotes/", desk.quotes, name="quote_list"),
    path("desk/quotes/for/<int:conversation_id>/", desk.new, name="new_quote"),
    path("desk/quotes/<int:pk>/", desk.quote, name="one_quote"),
    path("desk/quotes/<int:pk>/withdrawal/", desk.withdraw, name="withdraw_quote"),
    path("desk/quotes/<int:pk>/revision/", desk.revise, name="revise_quote"),
    path("desk/quotes/<int:pk>/discarding/", desk.discard, name="discard_quote"),
    path("desk/quotes/<int:pk>/pdf/", desk.pdf_file, name="quote_pdf"),
]
