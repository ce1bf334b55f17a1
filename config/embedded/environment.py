"""The variables that each process of the running product gets, and no more than it needs."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from config.embedded.console import say
from config.embedded.errors import CannotStart
from config.embedded.files import secret_in
from config.embedded.ports import LOOPBACK

CONTROL = "CONTROL_DATABASE_URL"
SHARD = "SHARD_1_DATABASE_URL"
OWNERS = "OWNER_"
_SHARD = re.compile(r"(?:OWNER_)?SHARD_\d+_DATABASE_URL")
MOVERS = "MOVER_"
BACKUPS = "BACKUP_"


def own_database() -> bool:
    """Whether the person named database servers of their own; raises CannotStart if only half of them."""
    if not os.environ.get(CONTROL):
        return False
    if not os.environ.get(SHARD):
        raise CannotStart(f"{CONTROL} is set but {SHARD} is not; set both, or none for the embedded server.")
    return True


def tell_unused() -> None:
    """Say so when the person set the one variable that other products read."""
    if os.environ.get("DATABASE_URL") and not os.environ.get(CONTROL):
        say(f"DATABASE_URL is not used; Enclave reads {CONTROL}, {SHARD} and others (docs/deploy.md).")


def control_url() -> str:
    """The control plane's URL that the person set."""
    return os.environ[CONTROL]


def knows_owner(environment: Mapping[str, str]) -> bool:
    """Whether the owner's login is among the variables; without it nothing can be migrated."""
    return f"{OWNERS}{CONTROL}" in environment


def base_environment(*, data: Path, port: int, mail_port: int, redis_url: str) -> dict[str, str]:
    """What every process gets beside the databases: the person's own variables first, then ours."""
    inherited = dict(os.environ)
    if not own_database():
        # A shard that is not ours would stand beside ours, where nobody has made it.
        for name in [name for name in inherited if _SHARD.fullmatch(name)]:
            del inherited[name]
    chosen = {
        "ENCLAVE_BASE_DOMAIN": "enclave.localhost",
        "DJANGO_SECRET_KEY": "",
        "EMAIL_HOST": LOOPBACK,
        "EMAIL_PORT": str(mail_port),
        "MAIL_CATCHER_FOLDER": str(data / "mail"),
    }
    if inherited.get("EMAIL_HOST"):
        # The person's own mail server: then there is nothing to catch.
        for name in ("EMAIL_HOST", "EMAIL_PORT", "MAIL_CATCHER_FOLDER"):
            chosen.pop(name)
    environment = {**chosen, **inherited}
    environment["DJANGO_SECRET_KEY"] = environment["DJANGO_SECRET_KEY"] or secret_in(
        data / "run" / "secret-key", length=48
    )
    environment.update(
        DJANGO_SETTINGS_MODULE="config.settings.dev",
        ENCLAVE_DATA=str(data),
        ENCLAVE_PORT=str(port),
        REDIS_URL=redis_url,
        PYTHONUNBUFFERED="1",
    )
    return environment


def for_app(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process that must not know the owner's login."""
    hidden = (OWNERS, MOVERS, BACKUPS)
    kept = {name: value for name, value in environment.items() if not name.startswith(hidden)}
    return {**kept, "ENCLAVE_LOGIN": "app"}


def for_owner(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process that migrates and makes indexes as the owner of the schemas."""
    return {**environment, "ENCLAVE_LOGIN": "owner"}
