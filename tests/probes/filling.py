"""Fills an organisation with one of everything, each row carrying the organisation's marker."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actions import invitations
from accounts.actions.people import add_person
from accounts.identity.models import User
from jobs.actions.enqueueing import enqueue
from jobs.actions.running import Run
from jobs.registry import kind
from permissions.actions import grants, groups, roles
from permissions.actions.memberships import assign_role
from permissions.holder import load
from permissions.models import GroupProfile, Role
from permissions.models.roles import MEMBER_RANK
from records import rooms
from records.actions import collections, files, records, views
from records.models import Collection
from records.rooms.examples import make
from records.tables import TableQuery, of_collection
from records.values import FieldSpec, FieldType
from tenants.context import Actor, enter
from tenants.models import Organisation


@kind("probe.nothing", label="Nothing")
def nothing(run: Run) -> Mapping[str, Any]:
    """A job that does nothing, so that there is one to look at."""
    return {}


@dataclass(slots=True)
class Filled:
    """What lies in a filled organisation."""

    organisation: Organisation
    owner: User
    marker: str
    collection: Collection
    made: dict[str, Any] = field(default_factory=dict)


def fill(organisation: Organisation, owner_email: str, *, name: str) -> Filled:
    """Put one of everything in; every text in it holds the marker, which nobody can guess."""
    marker = f"canary-{uuid.uuid4().hex}"
    with enter(organisation, actor=Actor.system("probe")):
        owner = User.objects.get(email=owner_email)
        specs = (
            FieldSpec("f_name", f"Name {marker}", FieldType.TEXT, required=True),
            FieldSpec("f_size", "Size", FieldType.INTEGER),
        )
        now = timezone.now()
        collection = collections.create(name=f"{name} {marker}", fields=specs, by=owner, at=now)
        filled = Filled(organisation, owner, marker, collection)
        _fill_people(filled)
        _fill_records(filled)
        for room in rooms.registered():
            filled.made[f"room_{room.key}"] = make(room, marker=marker)
        filled.made["job"] = enqueue("probe.nothing", payload={}, label=f"Job {marker}", by=owner)
    return filled


def _fill_people(filled: Filled) -> None:
    now, owner, marker = timezone.now(), filled.owner, filled.marker
    person = add_person(email=f"{marker}@probe.example", name=f"Person {marker}", at=now)
    assign_role(user=person, role=Role.objects.get(code="member"), by=owner, at=now)
    group = groups.create_group(name=f"Group {marker[:40]}", by=owner, at=now, description=marker)
    groups.add_to_group(group=group, user=person, by=owner, at=now)
    role = roles.create_role(
        name=f"Role {marker[:40]}",
        names=["people.view"],
        rank=MEMBER_RANK,
        by=owner,
        at=now,
        description=marker,
    )
    member = Role.objects.get(code="member")
    sent = invitations.invite(emails=[f"invited-{marker}@probe.example"], role=member, by=owner, at=now)
    filled.made.update(person=person, group=group, role=role, invitation=sent[0])
    _share(filled, group)


def _share(filled: Filled, group: GroupProfile) -> None:
    now = timezone.now()
    grants.grant(
        obj=filled.collection,
        to=group,
        names=["records.view"],
        by=filled.owner,
        at=now,
        ends_at=now + timedelta(days=3),
    )


def _fill_records(filled: Filled) -> None:
    now, owner, marker = timezone.now(), filled.owner, filled.marker
    for number in range(3):
        done = records.create(
            collection=filled.collection,
            values={"f_name": f"{marker} {number}", "f_size": number},
            by=owner,
            at=now,
        )
        filled.made[f"record_{number}"] = done.record
    filled.made["file"] = files.attach(
        record=filled.made["record_0"],
        name=f"{marker}.txt",
        chunks=[marker.encode()],
        by=owner,
        at=now,
    )
    binned = records.move_to_bin(
        collection=filled.collection, ids=[filled.made["record_2"].pk], by=owner, at=now
    )
    filled.made["undo"] = binned.undo
    table = of_collection(filled.collection, load(owner, at=now), at=now)
    filled.made["view"] = views.save(
        table=table,
        name=f"View {marker[:40]}",
        query=TableQuery(),
        by=owner,
        at=now,
        collection=filled.collection,
        is_shared=True,
    )
