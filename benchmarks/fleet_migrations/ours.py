"""Migrates the fleet and prints the milliseconds as JSON. Run by `bin/bench fleet` as the owner."""

import json
import time

import django


def main() -> None:
    """Time it from the call to the last state written down."""
    django.setup()
    from operations.actions.fleet import migrate_fleet
    from operations.actions.preparing import prepare_template
    from operations.models import FleetState
    from tenants.schema import wanted_version

    # The template goes before the fleet, as the rival's public schema does.
    prepare_template()
    # What a command has anyway before it does anything: a connection, the code's own version.
    list(FleetState.objects.all()[:1])
    wanted_version()
    began = time.perf_counter()
    states = list(migrate_fleet())
    took = (time.perf_counter() - began) * 1000
    failed = [state.error for state in states if state.error]
    if failed:
        raise SystemExit(failed[0])
    print(json.dumps({"ms": round(took, 1), "migrated": len(states)}))


if __name__ == "__main__":
    main()
