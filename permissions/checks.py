"""Start-up checks: no view without a declared access, no opened model without a policy."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver

from permissions.access import access_of, declared_elsewhere
from permissions.policies import registered


def install() -> None:
    """Register the checks."""
    register(every_view_declares_access)
    register(every_grant_has_its_permission)


def patterns(
    entries: Sequence[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Yield every view of a list of URLs with its full name, such as `permissions:people`."""
    for entry in entries:
        if isinstance(entry, URLResolver):
            inner = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from patterns(entry.url_patterns, inner)
        else:
            yield f"{prefix}{entry.name or ''}", entry


def views_of_tenant() -> Iterator[tuple[str, URLPattern]]:
    """Yield every view of the organisations' site with its name."""
    yield from patterns(import_module(settings.URLCONF_TENANT).urlpatterns)


def every_view_declares_access(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which views of the organisations' site declare no access, or open what has no policy."""
    return list(faults_of(views_of_tenant()))


def faults_of(views: Iterator[tuple[str, URLPattern]]) -> Iterator[CheckMessage]:
    """Yield what is wrong with the access of each view."""
    elsewhere, policies = declared_elsewhere(), registered()
    for name, pattern in views:
        access = access_of(pattern.callback) or elsewhere.get(name)
        if access is None:
            yield Error(
                f"The view {name or pattern.pattern!s} does not say who may open it.",
                hint="Decorate it with requires, opens, signed_in or public of permissions.access.",
                id="permissions.E001",
            )
        elif access.model is not None and access.model not in policies:
            yield Error(
                f"The view {name} opens {access.model._meta.label}, which has no policy.",
                hint="Register one with permissions.policies.register when the app is ready.",
                id="permissions.E001",
            )


def every_grant_has_its_permission(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Say which models may be shared by a name that guardian's tables cannot hold for them."""
    faults: list[CheckMessage] = []
    for model, policy in registered().items():
        missing = set(policy.codenames()) - {codename for codename, _ in model._meta.permissions}
        for codename in sorted(missing):
            faults.append(
                Error(
                    f"{model._meta.label} may be shared by {codename!r}, which its Meta.permissions lack.",
                    hint="Meta.permissions = perms.on_model(…) with the names of the policy.",
                    id="permissions.E002",
                )
            )
    return faults
