"""What an organisation answered to a question that only it can answer."""

from django.db import models

from tenants.models.base import TenantRow


class OrganisationAnswer(TenantRow):
    """One answer, as the form's field wrote it; `is_default` when nobody gave one before the deadline."""

    key = models.CharField(max_length=60, unique=True)
    value = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    answered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
