"""People: invitations, memberships, sign-in, sessions."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room `accounts`."""

    name = "accounts"
    label = "accounts"

    def ready(self) -> None:
        from accounts import access, audit  # noqa: F401  # both register, and need the loaded apps
