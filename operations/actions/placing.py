"""Where an organisation may live: the rules, and choosing a shard.

Two makers never share the last place of one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Q

from operations.models import Provisioning, ShardHealth
from operations.models.provisioning import Step
from tenants.models import Shard
from tenants.placement import State
from tenants.refusals import Refusal


class NoRoom(Refusal):
    """No shard takes the organisation."""

    code = "no-room"
    status = 503
    message = "No new organisations can be made at the moment. Try again later."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the place: a shard by name, a region, a customer's own server. Empty: nothing."""

    shard: str = ""
    region: str = ""
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shard as the rules see it. `living` counts those that live there and those that are being made."""

    alias: str
    region: str
    capacity: int
    living: int
    reserved_for: str = ""
    is_open: bool = True
    answers: bool = True


def may_live(candidate: Candidate, asked: Asked) -> bool:
    """Return whether the rules let an organisation live there, whatever is free.

    A customer's own server takes that customer's organisations and no others; and who asks for one is
    never put on a shard that others share.
    """
    if candidate.reserved_for != asked.customer:
        return False
    if asked.region and candidate.region != asked.region:
        return False
    return not asked.shard or candidate.alias == asked.shard


def best(candidates: Iterable[Candidate], asked: Asked) -> str:
    """Return the least loaded shard that takes a new organisation. Raises NoRoom."""
    free = [
        (one.living / one.capacity, one.alias)
        for one in candidates
        if may_live(one, asked) and one.is_open and one.answers and one.living < one.capacity
    ]
    if not free:
        raise NoRoom
    return min(free)[1]


def choose(asked: Asked, *, without: Collection[str] = ()) -> str:
    """Return the shard for a new organisation, holding the shards until the transaction ends.

    Whoever chooses meanwhile waits, and counts the making that this transaction writes. Raises NoRoom.
    """
    # Not for keys: organisations that are written meanwhile point to these rows.
    held = Shard.objects.select_for_update(no_key=True).filter(alias__in=settings.SHARD_ALIASES)
    aliases = [shard.alias for shard in held.order_by("alias")]
    return best((one for one in candidates(aliases) if one.alias not in without), asked)


def candidates(aliases: Collection[str]) -> list[Candidate]:
    """Return shards as the rules see them."""
    placed = Count("organisations", filter=~Q(organisations__state=State.GONE))
    making = Provisioning.objects.exclude(step__in=[Step.DONE, Step.UNDONE]).filter(organisation=None)
    begun = dict(making.order_by().values_list("shard").annotate(Count("pk")))
    unfit = ShardHealth.objects.down() | ShardHealth.objects.full()
    down = set(unfit.values_list("shard_id", flat=True))
    return [
        Candidate(
            alias=shard.alias,
            region=shard.region,
            capacity=shard.capacity,
            living=shard.placed + begun.get(shard.alias, 0),
            reserved_for=shard.reserved_for,
            is_open=shard.is_open,
            answers=shard.alias not in down,
        )
        for shard in Shard.objects.filter(alias__in=aliases).annotate(placed=placed)
    ]


def open_regions() -> list[str]:
    """Return the regions in which anybody may have an organisation made."""
    shared = Shard.objects.filter(alias__in=settings.SHARD_ALIASES, is_open=True, reserved_for="")
    return sorted(set(shared.values_list("region", flat=True)))


def customers() -> list[str]:
    """Return the customers that have a server of their own."""
    reserved = Shard.objects.filter(alias__in=settings.SHARD_ALIASES).exclude(reserved_for="")
    return sorted(set(reserved.values_list("reserved_for", flat=True)))
