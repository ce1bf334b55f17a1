"""URLs of the room at an organisation's site."""

from django.urls import URLPattern, URLResolver, path

from accounts.views import account, invitations, organisation, organisations, questions

app_name = "accounts"

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", account.account, name="account"),
    path("account/sessions/end-others/", account.end_other_sessions, name="sessions-end-others"),
    path("account/sessions/<uuid:pk>/end/", account.end_session, name="session-end"),
    path("organisations/", organisations.organisations, name="organisations"),
    path("people/invitations/", invitations.waiting, name="invitations"),
    path("people/invite/", invitations.invite, name="invite"),
    path("people/invitations/<uuid:pk>/resend/", invitations.resend, name="invitation-resend"),
    path("people/invitations/<uuid:pk>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("join/<str:token>/", invitations.accept, name="accept"),
    path("settings/", organisation.settings, name="settings"),
    path("settings/logo/", organisation.change_logo, name="settings-logo"),
    path("settings/logo/remove/", organisation.remove_logo, name="settings-logo-remove"),
    path("settings/questions/<str:key>/", questions.question, name="question"),
    path("-/brand-<slug:digest>.css", organisation.brand, name="brand"),
    path("-/logo-<slug:digest>.png", organisation.logo, name="logo"),
]
