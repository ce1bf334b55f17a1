#!/usr/bin/env python
"""Django's commands, for DJANGO_SETTINGS_MODULE, or else for what bin/up started last."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        from config.embedded.recall import recall

        recall(os.environ, sys.argv[1] if len(sys.argv) > 1 else "")
        if "DJANGO_SECRET_KEY" not in os.environ:
            sys.exit("Start bin/up once; then manage.py knows the databases that it has made.")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
