"""Runs every sweep once that hangs on the beat for this process's login; the owner seals every trail too."""

import sys

import django


def main() -> None:
    """Sweep."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from jobs import sweeps

    is_owner = settings.DATABASE_LOGIN == "owner"
    for name in sweeps.schedule():
        sweep = sweeps.find(name)
        if sweep is not None and (sweep.queue == "owner") is is_owner:
            sweep.run()
            sys.stdout.write(f"{name}\n")
    if is_owner:
        call_command("seal")


if __name__ == "__main__":
    main()
