"""Dividing an organisation, on its own site."""

from django.urls import path

from operations.views import dividing

app_name = "divide"
urlpatterns = [
    path("", dividing.divisions, name="list"),
    path("new/", dividing.choose, name="new"),
    path("look/<uuid:pk>/", dividing.look, name="look"),
    path("look/<uuid:pk>/ask/", dividing.ask, name="ask"),
    path("<uuid:pk>/cancel/", dividing.cancel, name="cancel"),
]
