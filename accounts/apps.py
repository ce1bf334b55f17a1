"""People: invitations, memberships, sign-in, sessions."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room `accounts`."""

    name = "accounts"
    label = "accounts"
