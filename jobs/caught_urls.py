"""URLs of the mails caught while developing, on the public site."""

from django.urls import path

from jobs.views import caught

app_name = "caught"

urlpatterns = [
    path("", caught.mails, name="list"),
    path("<slug:name>/", caught.mail, name="detail"),
]
