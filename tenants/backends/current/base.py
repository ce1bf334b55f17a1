"""The backend behind the alias `default`: not a database, but the one of the current plane.

Django and third-party code mean `default` when they open a transaction or hang a callback on its
commit. Here it resolves, at each use, to the alias of the current context; without one it raises.
So `atomic()`, `on_commit` and libraries that know one database only are right on every shard.
"""

from typing import Any

from django.db import connections

from tenants.context import current, required


class DatabaseWrapper:
    """Stands for the connection of the current plane. Life-cycle calls outside a context do nothing."""

    def __init__(self, settings_dict: dict[str, Any], alias: str = "") -> None:
        object.__setattr__(self, "settings_dict", settings_dict)

    def _resolve(self) -> Any:
        return connections[required().alias]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolve(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "connection" and current() is None:
            return  # a forked worker drops what it inherited, under each database's own name
        setattr(self._resolve(), name, value)

    @property
    def connection(self) -> Any:
        """The driver's connection of the current plane; none without a context, as for one not opened yet."""
        return None if current() is None else self._resolve().connection

    @property
    def alias(self) -> str:
        """The alias of the current plane's connection; its own name without a context."""
        context = current()
        return context.alias if context is not None else "default"

    # Django ends requests, threads and tests by walking over every alias. The real connections are
    # walked over under their own names; for this one there is nothing to do.

    def close(self) -> None:
        return None

    def close_pool(self) -> None:
        return None

    def close_if_unusable_or_obsolete(self) -> None:
        return None

    def validate_thread_sharing(self) -> None:
        return None

    @property
    def queries_log(self) -> Any:
        if current() is None:
            return []
        return self._resolve().queries_log

    @property
    def vendor(self) -> str:
        """The vendor is known without a context, so that system checks can run."""
        return "postgresql"

    @property
    def features(self) -> Any:
        return self._known().features

    @property
    def ops(self) -> Any:
        return self._known().ops

    @property
    def operators(self) -> Any:
        return self._known().operators

    @property
    def data_types(self) -> Any:
        return self._known().data_types

    @property
    def validation(self) -> Any:
        return self._known().validation

    def _known(self) -> Any:
        """Return the current connection, or the control plane's where only the dialect is asked for."""
        context = current()
        return connections[context.alias if context else "control"]
