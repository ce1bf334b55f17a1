"""How the trail calls a grant: what it allows whom, and not on what."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from accounts.identity.models import User
from audit.labels import names_for
from permissions import perms
from permissions.actions.grants import grant
from permissions.models import GroupProfile, UserGrant
from records.models import Record, RecordGroupGrant, RecordUserGrant
from records.perms import RECORDS_SENSITIVE
from tenants.explicit_ids import content_type_id

Counted = Callable[..., AbstractContextManager[Any]]


def names(*rows: Any) -> set[tuple[str, str]]:
    """Return kind and label of rows of one table."""
    kind = content_type_id(rows[0]._meta.app_label, rows[0]._meta.model_name)
    return {(one.kind, one.label) for one in names_for({kind: {row.pk for row in rows}}).values()}


def test_to_a_person_and_to_a_group(
    event: Record, ada: User, cy: User, staff: GroupProfile, at: datetime
) -> None:
    for to in (cy, staff):
        grant(obj=event, to=to, names=[RECORDS_SENSITIVE], by=ada, at=at)
    label = perms.known(RECORDS_SENSITIVE).label
    (one,) = RecordUserGrant.objects.filter(user=cy, permission__name=label)
    (other,) = RecordGroupGrant.objects.filter(group=staff.group, permission__name=label)
    assert names(one) == {("access", f"{label}, for {cy}")}
    assert names(other) == {("access", f"{label}, for {staff.group}")}


def test_on_something_that_is_not_there(cy: User) -> None:
    permission = Permission.objects.filter(content_type__app_label="records").first()
    assert permission is not None
    row = UserGrant(user=cy, permission=permission, content_type=permission.content_type, object_pk="no key")
    UserGrant.objects.bulk_create([row])
    (row,) = UserGrant.objects.filter(user=cy)
    assert names(row) == {("access", f"{permission.name}, for {cy}")}


@pytest.mark.parametrize("most", [1, 6])
def test_asks_once_for_all_of_them(
    events: Any, ada: User, cy: User, at: datetime, most: int, django_assert_num_queries: Counted
) -> None:
    for number in range(most):
        event = Record.objects.create(collection=events, values={"n": number})
        grant(obj=event, to=cy, names=[RECORDS_SENSITIVE], by=ada, at=at)
    rows = list(RecordUserGrant.objects.filter(user=cy))
    with django_assert_num_queries(1, using="shard_1"):
        assert len(names(*rows)) >= 1
