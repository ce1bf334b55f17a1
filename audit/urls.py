"""Addresses of the trail."""

from django.urls import path

from audit.views import events

app_name = "trail"
urlpatterns = [
    path("", events.event_list, name="list"),
    path("<int:epoch>/<int:txid>/<int:eid>/", events.event_detail, name="detail"),
    path("together/<str:place>/", events.event_together, name="together"),
]
