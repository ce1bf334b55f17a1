"""What bin/up tells the person who started it."""

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress


def say(line: str = "") -> None:
    """Print one line at once; a closed terminal is no reason to fail."""
    with suppress(OSError):
        print(line, flush=True)


def complain(sentence: str) -> None:
    """Print one line to standard error at once."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)


def say_addresses(sites: Iterable[Mapping[str, object]]) -> None:
    """Print each site of `[{"name", "url", "people": [{"email", "password", "role"}]}]` with its sign-ins."""
    for site in sites:
        say(f"  {site.get('name', '')!s:<24} {site.get('url', '')}")
        people = site.get("people")
        for person in people if isinstance(people, list) else ():
            words = (person.get("email", ""), person.get("password", ""), person.get("role", ""))
            say("    " + "   ".join(str(word) for word in words if word))
