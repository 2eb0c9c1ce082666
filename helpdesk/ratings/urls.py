from django.urls import path

from helpdesk.ratings import desk_views, views

app_name = "ratings"
urlpatterns = [
    path("rate/of/<int:conversation_id>/", views.rate, name="rate"),
    path("rate/<str:token>/", views.by_link, name="rate_by_link"),
    path("desk/ratings/", desk_views.ratings, name="rating_list"),
    path("desk/ratings/<int:conversation_id>/look/", desk_views.look, name="look_at_rating"),
    path("desk/ratings/<int:conversation_id>/showing/", desk_views.show, name="show_rating"),
]
