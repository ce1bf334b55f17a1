"""Models of the room."""

from accounts.models.invitation import Invitation
from accounts.models.profile import OrganisationProfile

__all__ = ["Invitation", "OrganisationProfile"]
