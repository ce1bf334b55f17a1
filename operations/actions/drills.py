"""The rehearsal: organisations of a moment are restored beside the live ones, compared, and dropped."""

import random
import shutil
import time
from datetime import datetime

import psycopg
from django.utils import timezone

from operations.actions.recovering import Recovery
from operations.models import RestoreDrill
from operations.restoring import bundle, places
from tenants.models import Organisation
from tenants.names import new_schema_name
from tenants.schema import labels


def drill(*, count: int, to: datetime) -> RestoreDrill:
    """Restore some organisations, chosen by lot, to a moment; nobody's live schema is touched.

    Equal are those of which every table has the rows and the digest that the recovered server has. Each
    server is recovered once, whichever of its shards they are on.
    """
    began = time.monotonic()
    there = list(Organisation.objects.placed().exclude(domains=None).filter(created_at__lt=to))
    chosen = random.SystemRandom().sample(there, min(count, len(there)))
    done = RestoreDrill.objects.create(to_time=to, began_at=timezone.now(), wanted=len(chosen))
    problems: list[str] = []
    with Recovery(places.folder() / "drills" / str(done.pk)) as recovery:
        for organisation in sorted(chosen, key=lambda one: str(one.shard_id)):
            alias = str(organisation.shard_id)
            try:
                source = recovery.address(alias, to)
                done.rows += _one(source, alias, str(organisation.schema_name))
                done.equal += 1
            except (places.CannotBackUp, bundle.Differs, psycopg.Error) as problem:
                problems.append(f"{organisation.slug}: {problem}")
    shutil.rmtree(places.folder() / "drills" / str(done.pk), ignore_errors=True)
    done.error = "\n".join(problems)[:2000]
    done.ended_at, done.took_seconds = timezone.now(), time.monotonic() - began
    done.save()
    return done


def _one(source: str, alias: str, schema: str) -> int:
    """Read one organisation, load it under a name of its own, compare, drop it; return its rows."""
    place = places.folder() / "drills" / new_schema_name()
    target, name = places.owner_address(alias), place.name
    try:
        manifest = bundle.write(source, schema, place, labels=labels())
        bundle.load(target, place, name)
        return manifest.rows
    finally:
        bundle.drop(target, name)
        shutil.rmtree(place, ignore_errors=True)
