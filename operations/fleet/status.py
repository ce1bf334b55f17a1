"""How far the fleet is, in lines for a terminal."""

from collections import Counter
from collections.abc import Iterator

from operations.models import FleetRun, FleetState
from tenants.models import Organisation
from tenants.placement import Ring
from tenants.schema import wanted_version


def status_lines() -> Iterator[str]:
    """Yield the last run, the number of organisations by ring and state, and each that is not current."""
    run = FleetRun.objects.first()
    if run is not None:
        yield f"Last run: {_of_run(run)}"
    wanted = wanted_version()
    placed = Organisation.objects.placed().exclude(domains=None).select_related("fleet_state")
    known = [(one, word_of(getattr(one, "fleet_state", None), wanted)) for one in placed.order_by("slug")]
    counted = Counter((one.ring, word) for one, word in known)
    behind = sum(count for (_, word), count in counted.items() if word != "current")
    yield f"{behind} organisations are behind."
    for ring in Ring:
        said = [
            f"{counted[ring, word]} {word}"
            for word in ("current", "behind", "waiting", "failed")
            if counted[ring, word]
        ]
        if said:
            yield f"{ring.value}: {', '.join(said)}"
    for one, word in known:
        if word != "current":
            yield _of_organisation(one, word)
    for one, _ in known:
        state = getattr(one, "fleet_state", None)
        if state is not None and state.differs:
            yield f"{one.slug}: differs from the template in: {state.differs}"


def word_of(state: FleetState | None, wanted: str) -> str:
    """Return current, behind, waiting (for a backfill or the end of a move) or failed."""
    if state is not None and state.error:
        return "failed"
    if state is not None and state.version == wanted:
        return "current"
    return "waiting" if state is not None and state.waits else "behind"


def _of_organisation(organisation: Organisation, word: str) -> str:
    state: FleetState | None = getattr(organisation, "fleet_state", None)
    if state is None or word not in ("failed", "waiting"):
        return f"{organisation.slug}: {word}"
    if word == "waiting":
        return f"{organisation.slug}: {state.waits}"
    when = f" at {state.migrated_at:%Y-%m-%d %H:%M} after {state.took_ms} ms" if state.migrated_at else ""
    return f"{organisation.slug}: {state.error}{when}"


def _of_run(run: FleetRun) -> str:
    said = f"{run.began_at:%Y-%m-%d %H:%M}, {run.get_state_display().lower()}"
    if run.is_at_work:
        said += f" (ring {run.ring})"
    said += f", {run.migrated} of {run.total} migrated, {run.failed} failed"
    return f"{said}: {run.said}" if run.said else said
