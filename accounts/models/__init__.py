"""Models of the room."""

from accounts.models.answer import OrganisationAnswer
from accounts.models.invitation import Invitation
from accounts.models.profile import OrganisationProfile

__all__ = ["Invitation", "OrganisationAnswer", "OrganisationProfile"]
