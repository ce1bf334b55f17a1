"""What people and operators of an installation do, in a process with the application's login.

Each line of input is a JSON list: the name of a function here and its arguments. For each one JSON value is
printed. The first line of output names the organisations that were made: slug, alias and schema.
"""

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import django

KEPT: dict[str, Any] = {}
CONTENT = b"%PDF-1.7 the plan of the stage"


def main() -> None:
    """Make two organisations and two operators, and do as told."""
    django.setup()
    from django.test.utils import setup_test_environment

    from tests.restoring.making import make

    setup_test_environment()
    print(json.dumps(make(2)), flush=True)  # noqa: T201  # read by the tests
    for line in iter(sys.stdin.readline, ""):
        name, *words = json.loads(line)
        print(json.dumps(DOES[name](*words)), flush=True)  # noqa: T201  # read by the tests


def live(slug: str) -> dict[str, Any]:
    """Let an organisation have a record with a file, and keep every kind of link that leads to it."""
    from django.utils import timezone

    from accounts.actions.invitations import invite
    from accounts.actions.resets import reset_link
    from accounts.identity.models import User
    from accounts.links import bind
    from accounts.models import Invitation
    from permissions.models import Role
    from records.actions import collections, files, records
    from records.values import FieldSpec, FieldType
    from tenants.context import Actor, enter
    from tenants.models import Organisation
    from tests.people import signed_in

    organisation = Organisation.objects.get(slug=slug)
    now = timezone.now()
    with enter(organisation, actor=Actor.system("test")):
        owner = User.objects.get(email=f"o@{slug}.example")
        owner.set_password("a long enough password")
        owner.save()
        fields = [FieldSpec("name", "Name", FieldType.TEXT)]
        plans = collections.create(name="Plans", by=owner, at=now, fields=fields)
        record = records.create(collection=plans, values={"name": "Cellar"}, by=owner, at=now).record
        assert record is not None
        file = files.attach(record=record, name="plan.pdf", chunks=[CONTENT], by=owner, at=now)
        invite(emails=["new@guest.example"], role=Role.objects.get(code="member"), by=owner, at=now)
        invitation = Invitation.objects.get(email="new@guest.example")
        KEPT["reset"] = reset_link(owner)
        KEPT["invitation"] = invitation.new_token(at=now)
        invitation.save()
        KEPT["bound"] = bind("a key")
    client = signed_in(organisation, f"o@{slug}.example")
    page = f"/c/{plans.key}/r/{record.pk}/"
    KEPT.update(client=client, page=page, file=f"{page}files/{file.pk}/")
    KEPT["ticket"] = client.get(KEPT["file"])["Location"]
    return _look(client)


def look(slug: str) -> dict[str, Any]:
    """Sign the owner in anew and look at the record and at its file."""
    from tenants import hosts
    from tenants.models import Organisation
    from tests.people import signed_in

    hosts.forget()
    return _look(signed_in(Organisation.objects.get(slug=slug), f"o@{slug}.example"))


def _look(client: Any) -> dict[str, Any]:
    sent = client.get(KEPT["file"])
    content = b"".join(_fetch(sent["Location"])) if sent.status_code == 302 else b""
    return {"page": client.get(KEPT["page"]).status_code, "file": content == CONTENT}


def old(slug: str) -> dict[str, Any]:
    """Try everything that was good before the organisation left; return what each answers."""
    from django.core.signing import BadSignature

    from accounts.links import unbind
    from tenants import hosts
    from tenants.context import Actor, enter
    from tenants.models import Organisation
    from tests.people import visitor

    hosts.forget()
    organisation = Organisation.objects.get(slug=slug)
    anybody = visitor(organisation.primary_host)
    bound = "closed"
    if organisation.state != "gone":
        with enter(organisation, actor=Actor.system("test")):
            try:
                bound = unbind(KEPT["bound"])
            except BadSignature:
                bound = "refused"
    return {
        "host": anybody.get("/accounts/login/").status_code,
        "session": KEPT["client"].get(KEPT["page"]).status_code,
        "content": _fetch(KEPT["ticket"]).status_code,
        "reset": anybody.get(urlsplit(KEPT["reset"]).path).status_code,
        "invitation": anybody.get(f"/join/{KEPT['invitation']}/").status_code,
        "bound": bound,
    }


def _fetch(address: str) -> Any:
    from tests.people import visitor

    parts = urlsplit(address)
    return visitor(str(parts.hostname)).get(f"{parts.path}?{parts.query}")


def state(slug: str, to: str) -> str:
    """Have an operator change the state of an organisation; return what came of it."""
    from accounts.identity.models import User
    from operations.actions.states import WrongState, change_state
    from tenants.context import control_plane
    from tenants.models import Organisation
    from tenants.placement import State

    organisation = Organisation.objects.get(slug=slug)
    with control_plane():
        by = User.objects.get(email="one@operators.example")
    try:
        change_state(organisation=organisation, to=State(to), reason="they asked for it", by=by)
    except WrongState as refusal:
        return str(refusal)
    return to


def listed(address: str) -> list[str]:
    """Return the organisations that the switcher lists for an address."""
    from tenants.models.directory import DirectoryEntry

    return sorted(entry.organisation.slug for entry in DirectoryEntry.objects.of(address))


DOES: dict[str, Callable[..., object]] = {
    "live": live,
    "look": look,
    "old": old,
    "state": state,
    "listed": listed,
}

if __name__ == "__main__":
    main()
