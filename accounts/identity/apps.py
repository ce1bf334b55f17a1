"""Who can sign in: the user model, which lives in both planes."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """The twin app with the user model."""

    name = "accounts.identity"
    label = "identity"
