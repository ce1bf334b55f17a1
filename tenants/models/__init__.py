"""The control plane's own rows, and the base rows of both planes."""

from tenants.models.base import BelongsToTenant, ControlRow, TenantRow, UUIDv7
from tenants.models.directory import DirectoryEntry
from tenants.models.domain import Domain, RetiredSlug
from tenants.models.organisation import Organisation
from tenants.models.question import QuestionProgress, QuestionState
from tenants.models.release import Release, ReleaseState
from tenants.models.shard import Shard

__all__ = [
    "BelongsToTenant",
    "ControlRow",
    "DirectoryEntry",
    "Domain",
    "Organisation",
    "QuestionProgress",
    "QuestionState",
    "Release",
    "ReleaseState",
    "RetiredSlug",
    "Shard",
    "TenantRow",
    "UUIDv7",
]
