"""URLs of the public site."""

from django.urls import path

from operations.views import public

app_name = "public"

urlpatterns = [
    path("", public.home, name="home"),
    path("sign-up/", public.sign_up, name="sign-up"),
    path("sign-up/sent/", public.sent, name="sent"),
    path("confirm/<str:token>/", public.confirm, name="confirm"),
]
