"""Host names of organisations, and slugs that nobody else may get for a while."""

from django.db import models
from django_tenants.models import DomainMixin

from tenants.models.base import ControlRow


class Domain(DomainMixin, ControlRow):  # type: ignore[misc]  # django-tenants has no types
    """A host on which an organisation answers, stored normalised: lower case, no port, no trailing dot."""

    class Meta:
        ordering = ("domain",)
        constraints = [
            models.CheckConstraint(
                name="domain_is_normalised", condition=models.Q(domain__regex=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")
            ),
            models.UniqueConstraint(
                name="domain_one_primary", fields=["tenant"], condition=models.Q(is_primary=True)
            ),
        ]


class RetiredSlug(ControlRow):
    """A slug that was in use; kept for two years so that old links never reach another organisation."""

    slug = models.CharField(max_length=40, unique=True)
    organisation_id = models.UUIDField()
    free_from = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug
