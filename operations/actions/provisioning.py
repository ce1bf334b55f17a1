"""Making an organisation.

No transaction spans the planes, so the making is a row with steps: started, placed (a schema is
claimed or replayed on the shard), filled (its owner and settings are written), done (it has a host).
A failure at any step is undone at once where it can be, and otherwise by `sweep`.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, OperationalError, connections, transaction
from django.utils import timezone

from accounts.actions.founding import found
from operations.actions.fleet import note_made
from operations.actions.placing import Asked, NoRoom, choose
from operations.models import Provisioning
from operations.models.provisioning import STALE_AFTER, Step
from tenants import hosts
from tenants.context import Actor, control_plane, enter, on_shard
from tenants.models import Domain, Organisation, RetiredSlug
from tenants.models.directory import note_address
from tenants.names import checked_slug
from tenants.placement import State
from tenants.refusals import Refusal
from tenants.schema import replay

logger = logging.getLogger(__name__)


class SlugTaken(Refusal):
    """Another organisation has the address, or had it less than two years ago."""

    code = "slug-taken"
    message = "This address is taken. Choose another one."


__all__ = ["NoRoom", "SlugTaken", "Wish", "host_of", "provision", "sweep", "undo"]
Also = Callable[[Organisation], object]


def _nothing(organisation: Organisation) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the organisation's address and name, its first owner, and where it should live.

    `customer` asks for the server of that customer's own.
    """

    slug: str
    name: str
    owner_email: str
    owner_name: str
    owner_password: str | None = None
    shard: str | None = None
    region: str = ""
    customer: str = ""


def provision(wish: Wish, *, at: datetime | None = None, also: Also = _nothing) -> Organisation:
    """Make an organisation and return it; `also(organisation)` is written with its host, or neither is.

    Raises BadSlug or SlugTaken for the address, NoRoom when no shard takes it. Anything else that goes
    wrong is undone before the error is raised on.
    """
    at = at or timezone.now()
    without: set[str] = set()
    while True:
        making = _begin(wish, at=at, without=without)
        try:
            claimed = _claim_schema(making.shard_id)
        except OperationalError as problem:
            # Its shard went down a moment ago: another one takes it. Nothing was claimed, or nobody knows
            # of it, and `sweep` drops the schema.
            logger.warning("%s does not take %s: %s", making.shard_id, making.slug, problem)
            making.note(error=str(problem)[:2000])
            undo(making)
            without.add(making.shard_id)
        except Exception as problem:
            making.note(error=str(problem)[:2000])
            undo(making)
            raise
        else:
            return _fill(making, wish, claimed, also=also)


def _fill(making: Provisioning, wish: Wish, claimed: tuple[str, bool], *, also: Also) -> Organisation:
    schema, was_ready = claimed
    try:
        making.reach(Step.PLACED, schema_name=schema, was_ready=was_ready)
        organisation = _write_organisation(making, wish)
        with enter(organisation, actor=Actor.system("Enclave")):
            owner = found(
                owner_email=wish.owner_email, owner_name=wish.owner_name, owner_password=wish.owner_password
            )
        making.reach(Step.FILLED)
        note_address(organisation_id=organisation.pk, user_id=owner.pk, address=wish.owner_email)
        _open(making, organisation, also=also)
    except Exception as problem:
        making.note(error=str(problem)[:2000])
        undo(making)
        raise
    return organisation


def _begin(wish: Wish, *, at: datetime, without: Collection[str] = ()) -> Provisioning:
    slug = checked_slug(wish.slug)
    if Organisation.objects.filter(slug=slug).exists():
        raise SlugTaken
    if RetiredSlug.objects.filter(slug=slug, free_from__gt=at).exists():
        raise SlugTaken
    asked = Asked(shard=wish.shard or "", region=wish.region, customer=wish.customer)
    try:
        with transaction.atomic(using="control"):
            shard = choose(asked, without=without)
            return Provisioning.objects.create(
                slug=slug, name=wish.name.strip(), shard_id=shard, begun_at=at, step=Step.STARTED
            )
    except IntegrityError as problem:
        raise SlugTaken from problem


def _claim_schema(alias: str) -> tuple[str, bool]:
    """Return a schema of the current template, and whether it lay ready."""
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT enclave.claim()")
        (ready,) = cursor.fetchone()
    return (str(ready), True) if ready else (replay(alias), False)


def _write_organisation(making: Provisioning, wish: Wish) -> Organisation:
    with transaction.atomic(using="control"):
        organisation = Organisation.objects.create(
            slug=making.slug,
            name=making.name,
            schema_name=making.schema_name,
            shard_id=making.shard_id,
            region=wish.region,
            customer=wish.customer,
            state=State.TRIAL.value,
        )
        making.note(organisation=organisation)
    return organisation


def _open(making: Provisioning, organisation: Organisation, *, also: Also = _nothing) -> None:
    """Confirm the schema on the shard, then give the organisation its host: from here on it answers."""
    with on_shard(making.shard_id), connections[making.shard_id].cursor() as cursor:
        cursor.execute("SELECT enclave.confirm(%s)", (making.schema_name,))
        if not cursor.fetchone()[0]:
            raise RuntimeError(f"{making.schema_name} was dropped while it was being filled")
        cursor.execute("SELECT enclave.made_at_version(%s)", (making.schema_name,))
        (version,) = cursor.fetchone()
    # django-tenants' Domain saves in a transaction on `default`, which must mean the control plane here.
    with control_plane(), transaction.atomic(using="control"):
        Domain.objects.create(tenant=organisation, domain=host_of(making.slug), is_primary=True)
        note_made(organisation, version=version)
        also(organisation)
        making.reach(Step.DONE, ended_at=timezone.now())
    hosts.forget()


def host_of(slug: str) -> str:
    """Return the host on which an organisation answers by its slug."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def undo(making: Provisioning) -> bool:
    """Take back an unfinished making; return whether nothing of it is left.

    A schema that was already confirmed belongs to an organisation for good: then the making is
    finished by `sweep` instead.
    """
    try:
        if making.schema_name and not _discard(making):
            return False
    except DatabaseError:
        logger.exception("making of %s could not be undone yet", making.slug)
        return False
    with transaction.atomic(using="control"):
        if making.organisation_id:
            Organisation.objects.filter(pk=making.organisation_id, domains=None).delete()
        making.reach(Step.UNDONE, organisation=None, ended_at=timezone.now())
    return True


def _discard(making: Provisioning) -> bool:
    with on_shard(making.shard_id), connections[making.shard_id].cursor() as cursor:
        cursor.execute("SELECT enclave.discard(%s)", (making.schema_name,))
        return bool(cursor.fetchone()[0])


def sweep(*, at: datetime) -> int:
    """Finish or undo what dead processes left behind; return how many makings and schemas were settled."""
    settled = 0
    for making in Provisioning.objects.stuck(at=at).select_related("shard", "organisation"):
        try:
            settled += _settle(making)
        except Exception:
            # The next one may be settled all the same, and this one comes again.
            logger.exception("making of %s could not be settled", making.slug)
    return settled + sum(_strays_of(alias) for alias in settings.SHARD_ALIASES)


def _strays_of(alias: str) -> int:
    """Drop the strays of one shard; one that does not answer keeps nobody from the others'."""
    try:
        return _discard_strays(alias)
    except OperationalError as problem:
        logger.warning("strays of %s were left: %s", alias, problem)
        return 0


def _settle(making: Provisioning) -> bool:
    if undo(making):
        return True
    if making.step == Step.FILLED and making.organisation is not None:
        _open(making, making.organisation)
        return True
    return False


def _discard_strays(alias: str) -> int:
    """Drop schemas that were claimed by a process which died before it could write that down."""
    with on_shard(alias), connections[alias].cursor() as cursor:
        seconds = STALE_AFTER.total_seconds()
        cursor.execute("SELECT enclave.stale_claims(make_interval(secs => %s))", (seconds,))
        stale = {name for (name,) in cursor.fetchall()}
    unsettled = Provisioning.objects.exclude(step__in=[Step.DONE, Step.UNDONE])
    known = unsettled.filter(schema_name__in=stale).values_list("schema_name", flat=True)
    placed = Organisation.objects.filter(schema_name__in=stale).values_list("schema_name", flat=True)
    dropped = 0
    for name in stale.difference(known, placed):
        with on_shard(alias), connections[alias].cursor() as cursor:
            cursor.execute("SELECT enclave.discard(%s)", (name,))
            dropped += bool(cursor.fetchone()[0])
    return dropped
