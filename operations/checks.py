"""What is looked at before a process of production works: whether its release reaches the schemas."""

import logging
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from operations.fleet.releases import unservable
from operations.joining import shape
from tenants.context import control_plane

logger = logging.getLogger(__name__)


def schemas_are_within_reach(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Say so when this release can serve none of its organisations; those whom it cannot serve are named.

    One that was left behind keeps nobody else from being served. An owner's process is about to change it.
    """
    if "control" not in (databases or ()) or settings.DATABASE_LOGIN == "owner":
        return []
    with control_plane():
        far, of_all = unservable()
    for slug, why in far.items():
        logger.error("%s cannot be served: %s", slug, why)
    if not far or len(far) < of_all:
        return []
    why = next(iter(far.values()))
    return [Error(f"This release can serve none of its organisations. {why}", id="operations.E001")]


def joining_is_thought_of(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say for which models nobody has said what becomes of their rows when organisations are joined."""
    hint = "Say it with tenants.joining, in the app's joining.py."
    return [Error(problem, hint=hint, id="operations.E002") for problem in shape.problems()]
