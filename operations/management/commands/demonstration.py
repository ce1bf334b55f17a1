"""`manage.py demonstration`: load the demonstration, once."""

import time
from typing import Any

from django.core.management.base import BaseCommand

from operations.demo.everything import is_loaded, load


class Command(BaseCommand):
    """Loads two organisers of concerts and a small society, with people, groups, shares and readings."""

    help = "Load the demonstration. Does nothing when it is there."

    def handle(self, *args: Any, **options: Any) -> None:
        if is_loaded():
            self.stdout.write("The demonstration is there.")
            return
        began = time.monotonic()
        load()
        self.stdout.write(f"The demonstration was loaded in {time.monotonic() - began:.0f} s.")
