"""Where exports lie until they are fetched. The owner's processes write; those that serve people read."""

import os
from pathlib import Path

from django.conf import settings

from operations.models import Export


def folder() -> Path:
    """Return the folder of exports, whether or not it is there."""
    return Path(os.environ.get("ENCLAVE_EXPORTS") or Path(settings.DATA_DIR) / "exports")


def path_of(export: Export) -> Path:
    """Return where the file of an export lies, whether or not it is there."""
    return folder() / f"{export.pk}.zip"
