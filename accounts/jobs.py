"""Kinds of jobs of this room."""

from collections.abc import Mapping
from typing import Any

from accounts.actions import resets
from jobs.actions import Run
from jobs.registry import kind


@kind(resets.KIND, queue="mail", label="Link to choose a password")
def mail_reset(run: Run) -> Mapping[str, Any]:
    """Send the link to who asked for it, if they are somebody here. The result does not say."""
    with run.chunk(closing=True):
        resets.mail_reset(email=run.payload["email"], first=run.payload.get("first", False))
    return {}
