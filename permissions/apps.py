"""Roles, groups, grants and the policies that read them."""

from django.apps import AppConfig
from django.utils import timezone


class PermissionsConfig(AppConfig):
    """The room `permissions`."""

    name = "permissions"
    label = "permissions"

    def ready(self) -> None:
        """Tell the trail what to keep, and the frame who sees which link."""
        # All of these need the loaded models.
        from audit.access import decide_by
        from config import frame
        from permissions import audit, checks, holder  # noqa: F401  # audit registers by being imported

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
        frame.add_nav(
            "Organisation",
            label="Sharing",
            url_name="permissions:sharing",
            icon="share",
            permission="sharing.view",
            order=20,
        )
