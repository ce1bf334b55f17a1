"""What the commands that join organisations, and take them apart, print."""

from itertools import groupby
from typing import Any

from operations.joining import clashes
from operations.joining.telling import ORDER, in_words
from operations.models import Merge, Split


def show(out: Any, work: Merge | Split, *, with_clashes: bool = True) -> None:
    """Print how far a piece of work is, and what was found by name."""
    out.write(str(work))
    if with_clashes:
        found = sorted(clashes.listed(work.shard, work.pk), key=lambda one: ORDER.index(one.kind))
        for kind, ones in groupby(found, key=lambda one: one.kind):
            out.write(f"\n{kind.heading}:")
            for one in ones:
                out.write(f"  {one.noun}: {one.name}. {one.becomes}")
    for heading, said in (
        ("Comes", work.result.get("rows")),
        ("Came", work.result.get("came")),
        ("Stays, because people have worked on it", work.result.get("stay")),
    ):
        if said:
            words = ", ".join(f"{count:,} {what}" for what, count in in_words(said).items())
            out.write(f"\n{heading}: {words}")


def told(command: str, slug: str) -> str:
    """Return what is to be done next with something that was looked at."""
    return (
        f"\nAnother operator approves it with manage.py {command} {slug} --approve "
        "and the address typed again; --cancel takes it back."
    )
