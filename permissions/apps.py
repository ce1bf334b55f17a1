"""Roles, groups, grants and the policies that read them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

if TYPE_CHECKING:
    from config.frame import NavItem


class PermissionsConfig(AppConfig):
    """The room `permissions`."""

    name = "permissions"
    label = "permissions"

    def ready(self) -> None:
        """Tell the trail what to keep, and the frame who sees which link."""
        # All of these need the loaded models.
        from audit.access import decide_by
        from config import frame
        from permissions import audit, checks, holder, joining  # noqa: F401  # some register by being imported

        checks.install()
        decide_by(lambda user: holder.holds(user, "trail.view", at=timezone.now()))
        frame.answer_holds(lambda request, perm: holder.holder_of(request).holds(perm))
        frame.add_nav(
            "Organisation",
            label="People",
            url_name="permissions:people",
            icon="users",
            permission="people.view",
            order=10,
            within=("/groups/", "/roles/"),
        )
        frame.add_nav_source("", _shared_with_me)
        frame.add_nav(
            "Organisation",
            label="Sharing",
            url_name="permissions:sharing",
            icon="share",
            permission="sharing.view",
            order=20,
        )


def _shared_with_me(request: HttpRequest) -> "Iterator[NavItem]":
    """Lead those to what is shared with them who do not see all sharing, where it is a tab."""
    from config.frame import NavItem
    from permissions.holder import holder_of
    from permissions.perms import SHARING_VIEW

    if not holder_of(request).holds(SHARING_VIEW):
        yield NavItem("Shared with me", reverse("permissions:shared_with_me"), "share", order=10)
