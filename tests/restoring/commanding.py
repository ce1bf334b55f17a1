"""Runs commands of manage.py in one process with the owner's login: each line is a JSON list of words.

What a command reads from its input is the line after. For each one JSON object is printed. The word "work"
and the address of an organisation have its jobs done, as the owner's worker does them.
"""

import io
import json
import sys

import django

WORK = "work"


def work(slug: str) -> int:
    """Do the jobs of an organisation that are due; return how many."""
    from jobs.testing import run_due
    from tenants.models import Organisation

    return len(run_due(Organisation.objects.get(slug=slug)))


def main() -> None:
    """Run what is told until the input ends."""
    django.setup()
    from django.core.management import CommandError, call_command

    for line in iter(sys.stdin.readline, ""):
        said, failed, words = io.StringIO(), "", json.loads(line)
        try:
            if words[0] == WORK:
                said.write(f"{work(words[1])} done")
            else:
                call_command(*words, stdout=said, stderr=said)
        except CommandError as problem:
            failed = str(problem)
        print(json.dumps({"said": said.getvalue(), "failed": failed}), flush=True)  # noqa: T201  # read by the tests


if __name__ == "__main__":
    main()
