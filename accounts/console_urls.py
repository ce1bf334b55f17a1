"""URLs of sign-in at the operators' console. Who has lost their way in there is let in by a colleague."""

from allauth.account import views as allauth_views
from django.urls import URLPattern, URLResolver, include, path

from accounts.views import entrance

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", allauth_views.login, name="account_login"),
    path("logout/", entrance.sign_out, name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", allauth_views.password_change, name="account_change_password"),
    path("2fa/", include("allauth.mfa.urls")),
]
