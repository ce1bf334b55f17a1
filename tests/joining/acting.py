"""What people of organisations do that are joined, in a process with the application's login.

Each line of input is a JSON list: the name of a function here and its arguments. For each one JSON value is
printed. The first line of output names the organisations that were made: slug, alias and schema.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import django

from tests.joining.growing import described, found, grow
from tests.leaving.acting import state

CONTENT = b"%PDF-1.7 the plan of the stage"
PASSWORD = "a long enough password"
BOTH = "both@people.example"


def main() -> None:
    """Make three organisations and two operators, and do as told."""
    django.setup()
    from django.test.utils import setup_test_environment

    from tests.restoring.making import make

    setup_test_environment()
    print(json.dumps(make(3)), flush=True)  # noqa: T201  # read by the tests
    for line in iter(sys.stdin.readline, ""):
        name, *words = json.loads(line)
        print(json.dumps(DOES[name](*words), default=str), flush=True)  # noqa: T201  # read by the tests


def furnish(slug: str) -> dict[str, Any]:
    """Let an organisation have something of everything, called as in every other one that is furnished."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.utils import timezone

    from accounts.actions.invitations import invite
    from accounts.actions.people import add_person
    from accounts.identity.models import User
    from jobs.actions import enqueue
    from permissions.actions import grants, groups, memberships, roles
    from permissions.models import Role
    from records.actions import collections, files, records
    from records.models import SavedView
    from records.values import FieldSpec, FieldType
    from tenants.context import Actor, enter
    from tenants.models import Organisation
    from tests.rooms.gear.models import Speaker

    organisation, now = Organisation.objects.get(slug=slug), timezone.now()
    with enter(organisation, actor=Actor.system("test")):
        owner = User.objects.get(email=f"o@{slug}.example")
        both = add_person(email=BOTH, name=f"Both of {slug}", at=now, password=f"{PASSWORD} {slug}")
        own = add_person(email=f"own@{slug}.example", name=f"Own of {slug}", at=now, password=PASSWORD)
        role = roles.create_role(name="Stewards", names=["records.view"], rank=200, by=owner, at=now)
        memberships.assign_role(user=both, role=Role.objects.get(code="member"), by=owner, at=now)
        memberships.assign_role(user=own, role=role, by=owner, at=now)
        TOTP.activate(own, secret := generate_totp_secret())
        crew = groups.create_group(name="Crew", by=owner, at=now)
        for person in (both, own):
            groups.add_to_group(group=crew, user=person, by=owner, at=now)
        fields = [
            FieldSpec("name", "Name", FieldType.TEXT, unique=True),
            FieldSpec("lead", "Lead", FieldType.PERSON),
        ]
        plans = collections.create(name="Plans", by=owner, at=now, fields=fields)
        made: list[Any] = [
            records.create(
                collection=plans,
                values={"name": f"{slug} {lead.name}", "lead": str(lead.pk)},
                by=both,
                at=now,
            ).record
            for lead in (both, own)
        ]
        file = files.attach(record=made[0], name="plan.pdf", chunks=[CONTENT], by=both, at=now)
        grants.grant(obj=plans, to=crew, names=["records.view", "records.change"], by=owner, at=now)
        grants.grant(obj=made[0], to=both, names=["records.view"], by=owner, at=now)
        SavedView.objects.create(
            collection=plans, name="Mine", owner=both, filters=[["lead", "is", [str(both.pk)]]]
        )
        invite(emails=[f"late@{slug}.example"], role=Role.objects.get(code="member"), by=owner, at=now)
        enqueue("records.index", payload={"collection": str(plans.pk)}, label="Prepare", by=owner)
        Speaker.objects.filter(serial="1").update(serial=f"{slug} 1")
        return {
            "both": both.pk,
            "own": own.pk,
            "owner": owner.pk,
            "collection": plans.pk,
            "records": [record.pk for record in made],
            "file": file.pk,
            "secret": secret,
        }


def extend(slug: str, of: str) -> dict[str, Any]:
    """Let an organisation have a second collection, with a record that links to the first one."""
    from django.utils import timezone

    from accounts.actions.people import add_person
    from accounts.identity.models import User
    from permissions.actions import grants, memberships
    from permissions.models import Role
    from records.actions import collections, records
    from records.models import Collection
    from records.values import FieldSpec, FieldType
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    now = timezone.now()
    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        owner = User.objects.get(email=f"o@{slug}.example")
        plans = Collection.objects.get(key="plans")
        link = FieldSpec(
            "plan",
            "Plan",
            FieldType.RECORD,
            options={"collection": str(plans.pk), "collection_name": "Plans"},
        )
        fields = [FieldSpec("name", "Name", FieldType.TEXT), link]
        shows = collections.create(name="Shows", by=owner, at=now, fields=fields)
        made: Any = records.create(
            collection=shows, values={"name": "Opening", "plan": of}, by=owner, at=now
        ).record
        stays = add_person(email=f"stays@{slug}.example", name="Stays", at=now, password=PASSWORD)
        memberships.assign_role(user=stays, role=Role.objects.get(code="guest"), by=owner, at=now)
        grants.grant(obj=plans, to=stays, names=["records.view"], by=owner, at=now)
        return {"shows": shows.pk, "record": made.pk, "stays": stays.pk}


def empower(slug: str) -> str:
    """Let an organisation have an administrator, in a role that may carry everything off."""
    from django.utils import timezone

    from accounts.actions.people import add_person
    from accounts.identity.models import User
    from permissions.actions import memberships, roles
    from permissions.models import Role
    from permissions.perms import EXPORT_ALL
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    now = timezone.now()
    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        owner = User.objects.get(email=f"o@{slug}.example")
        deputy = add_person(email=f"deputy@{slug}.example", name="Deputy", at=now, password=PASSWORD)
        role = roles.create_role(name="Deputies", names=[EXPORT_ALL], rank=300, by=owner, at=now)
        memberships.assign_role(user=deputy, role=role, by=owner, at=now)
        guest = add_person(email=f"guest@{slug}.example", name="Guest", at=now, password=PASSWORD)
        memberships.assign_role(user=guest, role=Role.objects.get(code="guest"), by=owner, at=now)
        return deputy.email


def work(slug: str, collection: str) -> str:
    """Let a job wait that changes records of a collection; return its id."""
    from jobs.actions import enqueue
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        return str(enqueue("records.bulk", payload={"collection": collection}, label="Change", by=None).pk)


def clash(slug: str, serial: str) -> int:
    """Give a loudspeaker a serial number that one of another organisation has."""
    from tenants.context import Actor, enter
    from tenants.models import Organisation
    from tests.rooms.gear.models import Speaker

    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        return Speaker.objects.update(serial=serial)


def told(slug: str) -> dict[str, Any]:
    """Return what an organisation is now, in words."""
    from django.utils import timezone

    from accounts.identity.models import User
    from permissions.holder import load
    from permissions.models import GroupMembership, Membership, Role
    from records.models import Collection, Record, RecordFile, SavedView
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    now = timezone.now()
    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        people = {user.email: user for user in User.objects.all()}
        names: dict[Any, str] = {user.pk: user.email for user in people.values()}
        current = Membership.objects.current(at=now).select_related("user", "role")
        return {
            "people": sorted(people),
            "active": sorted(email for email, user in people.items() if user.is_active),
            "roles": {one.user.email: one.role.name for one in current},
            "own_roles": sorted(Role.objects.filter(built_in=False).values_list("name", flat=True)),
            "groups": sorted(
                (one.group.name, one.user.email)
                for one in GroupMembership.objects.current(at=now).select_related("user", "group")
            ),
            "collections": sorted(
                (one.name, one.key, one.record_count()) for one in Collection.objects.live()
            ),
            "records": sorted(
                (str(row.values["name"]), names.get(_uuid(row.values.get("lead"))), names.get(row.created_by))
                for row in Record.objects.live()
            ),
            "sees": {email: load(user, at=now).is_member for email, user in people.items()},
            "files": [(one.name, one.path) for one in RecordFile.objects.all()],
            "views": sorted((one.name, one.owner.email, str(one.filters)) for one in SavedView.objects.all()),
        }


def _uuid(text: object) -> Any:
    from uuid import UUID

    return UUID(str(text)) if text else None


def look(slug: str, email: str, path: str) -> list[Any]:
    """Sign somebody in without a password and return status and beginning of a page."""
    from tenants import hosts
    from tenants.models import Organisation
    from tests.people import signed_in

    hosts.forget()
    answer = signed_in(Organisation.objects.get(slug=slug), email).get(path)
    return [answer.status_code, answer.content.decode()]


def enters(slug: str, email: str, password: str) -> bool:
    """Return whether an address and a password let somebody in, or lead to their second step."""
    from django.core.cache import cache

    from tenants import hosts
    from tenants.models import Organisation
    from tests.people import visitor

    hosts.forget()
    cache.clear()
    client = visitor(Organisation.objects.get(slug=slug).primary_host)
    answer = client.post("/accounts/login/", {"login": email, "password": password})
    return answer.status_code == 302 and "inactive" not in answer["Location"]


def visits(slug: str) -> list[Any]:
    """Return what somebody gets who is not signed in."""
    from tenants import hosts
    from tenants.models import Organisation
    from tests.people import visitor

    hosts.forget()
    answer = visitor(Organisation.objects.get(slug=slug).primary_host).get("/accounts/login/")
    return [answer.status_code, answer.content.decode()]


def rename(slug: str, record: str, name: str) -> str:
    """Change a record."""
    from django.utils import timezone

    from accounts.identity.models import User
    from records.actions import records
    from records.models import Record
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        row = Record.objects.select_related("collection").get(pk=record)
        owner = User.objects.get(email=f"o@{slug}.example")
        records.change(record=row, values={"name": name}, expected=row.version, by=owner, at=timezone.now())
    return name


def choose(slug: str, goes: str, collection: str) -> str:
    """Let an owner choose on their pages what goes; return the page that will tell what it means."""
    from accounts.identity.models import User
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        key = str(User.objects.get(email=goes).pk)
    form = {
        "name": "Plans only",
        "slug": "plans-only",
        "collections": [collection],
        f"where-{key}": "both",
        "owner": key,
        "reason": "they go their own way",
    }
    return str(_owner(slug).post("/divide/new/", form)["Location"])


def press(slug: str, path: str) -> int:
    """Let an owner press a button; return the status of the answer."""
    return int(_owner(slug).post(path).status_code)


def _owner(slug: str) -> Any:
    from tenants import hosts
    from tenants.models import Organisation
    from tests.people import signed_in

    hosts.forget()
    return signed_in(Organisation.objects.get(slug=slug), f"o@{slug}.example")


def code_of(slug: str, email: str) -> str:
    """Return the secret of somebody's second step, decrypted."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.utils import decrypt

    from tenants.context import Actor, enter
    from tenants.models import Organisation

    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        found = Authenticator.objects.get(user__email=email, type=Authenticator.Type.TOTP)
        return str(decrypt(found.data["secret"]))


def erase(slug: str, email: str) -> int:
    """Erase somebody from what the trail says; return from how many entries."""
    from accounts.identity.models import User
    from audit.actions.erasure import erase as erased
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        person = User.objects.get(email=email)
        return erased(person, by=Actor.system("test"), reason="they asked for it")


def id_of(slug: str) -> str:
    """Return the id of an organisation."""
    from tenants.models import Organisation

    return str(Organisation.objects.get(slug=slug).pk)


DOES: dict[str, Callable[..., object]] = {
    "furnish": furnish,
    "extend": extend,
    "work": work,
    "empower": empower,
    "clash": clash,
    "told": told,
    "look": look,
    "enters": enters,
    "visits": visits,
    "rename": rename,
    "choose": choose,
    "press": press,
    "code_of": code_of,
    "state": state,
    "erase": erase,
    "id_of": id_of,
    "found": found,
    "grow": grow,
    "described": described,
}

if __name__ == "__main__":
    main()
