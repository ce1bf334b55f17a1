"""What an organisation says about itself and how its pages look."""

from uuid import UUID

from django.db import models

from tenants.models.base import TenantRow

# One row in every organisation, under the same key.
PROFILE_ID = UUID("00000000-0000-7000-8000-000000000006")
ACCENT = "#4b45b0"


class OrganisationProfile(TenantRow):
    """Name, mark, colour, logo and time zone. Empty fields mean what the control plane knows, or the usual.

    The logo is kept in the row, because it is small and travels with the organisation; it was drawn
    anew by us, so nothing of the file that was sent is left in it.
    """

    display_name = models.CharField(max_length=120, blank=True, default="")
    mark = models.CharField(max_length=2, blank=True, default="")
    accent = models.CharField(max_length=7, default=ACCENT)
    logo = models.BinaryField(null=True, blank=True)
    logo_digest = models.CharField(max_length=16, blank=True, default="")
    time_zone = models.CharField(max_length=60, default="UTC")

    class Meta:
        constraints = [
            models.CheckConstraint(name="profile_one_row", condition=models.Q(pk=PROFILE_ID)),
            models.CheckConstraint(
                name="profile_accent_is_a_colour", condition=models.Q(accent__regex=r"^#[0-9a-f]{6}$")
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or "Profile"
