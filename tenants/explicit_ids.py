"""Content types and permissions with the same ids in every schema.

Django numbers them in the order in which they were made, and Django and guardian cache them for
the whole process, which mixes tenants up. Here the id is a digest of the name, so every cache is
right for everybody and rows can be moved between schemas without renumbering.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.contrib.auth import get_permission_codename
from django.db import router
from django.db.models import Model
from django.db.models.signals import post_migrate

_AUTH_RECEIVER = "django.contrib.auth.management.create_permissions"


def content_type_id(app_label: str, model: str) -> int:
    """Return the id of a content type: 31 bits of the SHA-256 of its natural key, never 0."""
    return _number(f"contenttype:{app_label}.{model}")


def permission_id(app_label: str, model: str, codename: str) -> int:
    """Return the id of a permission: 31 bits of the SHA-256 of its natural key, never 0."""
    return _number(f"permission:{app_label}.{model}.{codename}")


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % (2**31 - 2) + 1


def permissions_of(model: type[Model]) -> list[tuple[str, str]]:
    """Return codename and name of every permission Django gives a model: its defaults and its own."""
    options = model._meta
    builtin = [
        (get_permission_codename(action, options), f"Can {action} {options.verbose_name_raw}")
        for action in options.default_permissions
    ]
    return [*builtin, *((code, str(name)) for code, name in options.permissions)]


def install() -> None:
    """Replace Django's receivers, which number by sequence, with ours."""
    from django.contrib.contenttypes.management import create_contenttypes

    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid=_AUTH_RECEIVER)
    post_migrate.connect(make_rows, dispatch_uid="tenants.explicit_ids")


def make_rows(app_config: AppConfig, using: str, apps: Any = global_apps, **kwargs: Any) -> None:
    """Insert the content types and permissions of one app, where they are missing."""
    if not app_config.models_module:
        return
    content_type_model = apps.get_model("contenttypes", "ContentType")
    permission_model = apps.get_model("auth", "Permission")
    if not router.allow_migrate_model(using, content_type_model):
        return
    label = app_config.label
    models = [model for model in global_apps.get_app_config(label).get_models() if _lives_on(model, using)]
    _add_missing(
        content_type_model.objects.using(using),
        {
            content_type_id(label, name): {"app_label": label, "model": name}
            for name in (model._meta.model_name or "" for model in models)
        },
    )
    _add_missing(
        permission_model.objects.using(using),
        {
            permission_id(label, model._meta.model_name or "", codename): {
                "content_type_id": content_type_id(label, model._meta.model_name or ""),
                "codename": codename,
                "name": name[:255],
            }
            for model in models
            for codename, name in permissions_of(model)
        },
    )


_seen: ContextVar[dict[str, set[int]] | None] = ContextVar("explicit_ids", default=None)


@contextmanager
def looked_up_once() -> Iterator[None]:
    """Look in the block only once at what a schema has, and not again for each app: two queries in all.

    For one schema, and for as long as nobody else makes such rows in it.
    """
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


def _add_missing(manager: Any, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Insert the rows whose ids are not there yet. Nothing is sent where nothing is missing."""
    seen = _seen.get()
    if seen is None:
        there = set(manager.filter(pk__in=list(rows)).values_list("pk", flat=True))
    else:
        table = manager.model._meta.db_table
        there = (
            seen[table]
            if table in seen
            else seen.setdefault(table, set(manager.values_list("pk", flat=True)))
        )
    missing = [manager.model(pk=pk, **columns) for pk, columns in rows.items() if pk not in there]
    if missing:
        manager.bulk_create(missing, ignore_conflicts=True)


def _lives_on(model: Any, using: str) -> bool:
    return bool(router.allow_migrate_model(using, model))
