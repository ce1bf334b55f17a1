"""The tenant of the rival, as the manual of django-tenants shows it."""

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):  # type: ignore[misc]  # django-tenants has no types
    """A tenant."""

    name = models.CharField(max_length=100)

    auto_create_schema = True

    def __str__(self) -> str:
        return self.name


class Domain(DomainMixin):  # type: ignore[misc]  # django-tenants has no types
    """A tenant's host."""
