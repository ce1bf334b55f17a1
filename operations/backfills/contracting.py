"""Who may have a contract migration: organisations in which the backfill that it follows is done."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from uuid import UUID

from operations.backfills.admitting import schemas_with
from operations.models import BackfillState, Progress
from tenants.changing import Contracts, contracts_of
from tenants.models import Organisation
from tenants.schema import own_migrations

Key = tuple[str, str]


@cache
def contracts() -> dict[Key, Contracts]:
    """Return the contract migrations of organisations' schemas that follow a backfill, by app and name."""
    found = {key: contracts_of(one) for key, one in own_migrations().items()}
    return {key: said for key, said in found.items() if said is not None and said.backfill}


def waiting(late: Sequence[Organisation]) -> dict[UUID, str]:
    """Return who waits for which backfill, as a sentence.

    Costs nothing while no migration follows a backfill, and two queries a shard for each that does.
    """
    names = _waiting(late)
    return {
        one.pk: f"Waits for the backfill {name}: {_how_far(one, name)}."
        for one in late
        if (name := names.get(one.pk))
    }


def _waiting(late: Sequence[Organisation]) -> dict[UUID, str]:
    by_alias: defaultdict[str, list[Organisation]] = defaultdict(list)
    for organisation in late:
        by_alias[str(organisation.shard_id)].append(organisation)
    found: dict[UUID, str] = {}
    for key, said in contracts().items():
        for alias, group in by_alias.items():
            schemas = [str(one.schema_name) for one in group]
            ahead = schemas_with("migration", alias, schemas, *key)
            ready = ahead | schemas_with("backfill", alias, schemas, said.backfill)
            for one in group:
                if one.schema_name not in ready:
                    found.setdefault(one.pk, said.backfill)
    return found


def _how_far(organisation: Organisation, name: str) -> str:
    state = BackfillState.objects.filter(organisation=organisation, backfill__name=name).first()
    if state is None:
        return f"not started; manage.py backfill {name} starts it"
    if state.state == Progress.FAILED:
        return f"it failed; manage.py backfill {name} --resume tries again"
    if state.state == Progress.DONE:
        # A restored organisation has rows of an earlier time; what its schema says is what counts.
        BackfillState.objects.filter(pk=state.pk).update(state=Progress.WAITING, ended_at=None)
        return "its rows here are of an earlier time, and are filled again"
    share = f", {100 * state.done // state.total} % done" if state.total else ""
    return f"{Progress(state.state).label.lower()}{share}"
