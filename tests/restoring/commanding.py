"""Runs commands of manage.py in one process with the owner's login: each line is a JSON list of words.

What a command reads from its input is the line after. For each one JSON object is printed.
"""

import io
import json
import sys

import django


def main() -> None:
    """Run what is told until the input ends."""
    django.setup()
    from django.core.management import CommandError, call_command

    for line in iter(sys.stdin.readline, ""):
        said, failed = io.StringIO(), ""
        try:
            call_command(*json.loads(line), stdout=said, stderr=said)
        except CommandError as problem:
            failed = str(problem)
        print(json.dumps({"said": said.getvalue(), "failed": failed}), flush=True)  # noqa: T201  # read by the tests


if __name__ == "__main__":
    main()
