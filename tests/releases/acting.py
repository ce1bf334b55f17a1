"""Runs scenarios in a process of one release: `python -m tests.releases.acting [[SCENARIO, SLUG, …], …]`.

Prints JSON. The variable RELEASES_CODE chooses the release of the code; the schema is what it is.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import django

SCENARIOS: dict[str, Callable[..., Any]] = {}


def scenario(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function be named on the command line."""
    SCENARIOS[function.__name__] = function
    return function


@scenario
def write_and_read(by: str) -> dict[str, Any]:
    """Write and read in all the ways there are, and return what is there afterwards."""
    from django.db.models import Count, F
    from django.db.models.functions import Coalesce

    speakers = model().objects
    one = model()(name=f"{by} saved", serial=f"{by}-1")
    one.save()
    two = speakers.create(name=f"{by} made", serial=f"{by}-2", watts=5)
    speakers.bulk_create([model()(name=f"{by} many", serial=f"{by}-{number}") for number in (3, 4)])
    again = speakers.select_for_update().get(pk=two.pk)
    again.watts = 6
    again.save()
    one.notes = "by hand"
    one.save(update_fields=["notes"])
    one.refresh_from_db()
    one.save()
    speakers.filter(serial=f"{by}-3").update(watts=F("watts"))
    speakers.filter(serial=f"{by}-3").update(watts=Coalesce(F("watts"), 7))
    speakers.update_or_create(serial=f"{by}-4", defaults={"notes": "found"})
    speakers.get_or_create(serial=f"{by}-5", defaults={"name": f"{by} gone"})[0].delete()
    changed = speakers.get(serial=f"{by}-3")
    changed.state = "broken"
    speakers.bulk_update([changed], ["state"])
    counted = speakers.values("state").annotate(n=Count("pk")).order_by("state")
    return {
        "rows": list(
            speakers.filter(serial__startswith=by)
            .order_by("name", "serial")
            .values_list("name", "watts", "state", "notes")
        ),
        "saved": [one.notes, two.watts],
        "states": len(counted),
    }


@scenario
def with_colours(by: str) -> dict[str, Any]:
    """What only the later release does: it asks, and falls back."""
    from tenants.capabilities import SchemaLacks, has

    speakers = model().objects
    row = speakers.create(name=f"{by} row", serial=f"{by}-colour")
    read = speakers.get(pk=row.pk)
    seen = [
        row.colour,
        read.colour,
        read.lent_on,
        *speakers.filter(pk=row.pk).values_list("colour", "lent_on"),
    ]
    named = [
        speakers.filter(pk=row.pk, colour="black").exists(),
        speakers.filter(pk=row.pk, colour="red").exists(),
        speakers.filter(pk=row.pk, lent_on=None).exists(),
        list(speakers.order_by("colour").values_list("colour", flat=True).distinct()),
        speakers.only("name", "colour").get(pk=row.pk).colour,
    ]
    refused = []
    if has("gear.colour"):
        speakers.filter(pk=row.pk).update(colour="red")
    else:
        writes: list[Callable[[], Any]] = [
            lambda: speakers.filter(pk=row.pk).update(colour="red", watts=1),
            lambda: speakers.create(name="x", serial=f"{by}-x", colour="red"),
            lambda: speakers.bulk_create([model()(name="x", serial=f"{by}-y", colour="red")]),
            lambda: speakers.bulk_update([with_colour(read, "red")], ["colour"]),
        ]
        for write in writes:
            with suppress(SchemaLacks):
                write()
                continue
            refused.append("refused")
    return {"has": has("gear.colour"), "seen": seen, "named": named, "refused": refused}


def with_colour(row: Any, colour: str) -> Any:
    """Return the row with another colour."""
    row.colour = colour
    return row


@scenario
def colours() -> dict[str, str]:
    """Return all colours, as the later release reads them."""
    return dict(model().objects.values_list("serial", "colour"))


@scenario
def save_all() -> int:
    """Load every row and save it, as forms do."""
    rows = list(model().objects.all())
    for row in rows:
        row.notes = f"{row.notes} saved"
        row.save()
    return len(rows)


@scenario
def page() -> list[Any]:
    """Open the room's list as its owner and return what a person sees."""
    from django.test import Client

    from accounts.identity.models import User
    from tenants.context import current_tenant

    client = Client(HTTP_HOST=current_tenant().host, headers={"sec-fetch-site": "same-origin"})
    owner = User.objects.earliest("pk")
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return [client, "/rooms/speaker/"]


@scenario
def enqueue_job(by: str) -> str:
    """Ask for a job that adds a speaker."""
    from jobs.actions import enqueue

    return str(enqueue("gear.add", payload={"by": by}, label="Add", by=None).pk)


def model() -> Any:
    """Return the model of the example, in whichever release."""
    from django.apps import apps

    return apps.get_model("gear", "Speaker")


def register_kind() -> None:
    """Register the job of the example."""
    from jobs import registry

    @registry.kind("gear.add")
    def add(run: Any) -> dict[str, Any]:
        with run.chunk():
            row = model().objects.create(name=f"by a job of {run.payload['by']}", serial=str(run.job_id))
            run.checkpoint({"done": True}, done=1, total=1)
        return {"serial": row.serial}


def work(organisation: Any) -> int:
    """Do the jobs that are due, as a worker does."""
    from jobs.actions.running import Surroundings
    from jobs.actions.working import work as once
    from jobs.placing import resolve

    done = 0
    while once(organisation, queue="app", around=Surroundings(resolve=resolve, beats=False)).job_id:
        done += 1
    return done


def main() -> None:
    """Run what the command line names, each [scenario, slug, word, …], and print what each returns."""
    django.setup()
    register_kind()
    print(json.dumps([act(*asked) for asked in json.loads(sys.argv[1])], default=str))  # noqa: T201  # read by the tests


def act(name: str, slug: str, *words: str) -> Any:
    """Run one scenario inside an organisation."""
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    organisation = Organisation.objects.get(slug=slug).placement()
    if name == "work":
        return work(organisation)
    with enter(organisation, actor=Actor.system("test")):
        found = SCENARIOS[name](*words)
    if name == "page":
        client, address = found
        answer = client.get(address)
        return [answer.status_code, answer.content.decode()]
    return found


if __name__ == "__main__":
    main()
