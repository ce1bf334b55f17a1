"""A room of a team: one model, one registration, and it has what collections have."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType

from accounts.identity.models import User
from audit.models import Event
from audit.registry import trail
from permissions import perms
from permissions.models import UserGrant
from permissions.policies import policy_for
from records import rooms
from records.actions.refusals import Invalid, Taken
from records.rooms import actions, examples
from records.tables import BadQuery, TableQuery
from records.values import FieldType, dumps
from tenants.models import Organisation
from tests.records.conftest import NOW
from tests.rooms.gear.models import Speaker

ROOM = rooms.get("speaker")


def make(name: str, serial: str, **more: Any) -> Speaker:
    return Speaker.objects.create(name=name, serial=serial, **more)


@pytest.fixture
def speakers(inside: Organisation) -> list[Speaker]:
    return [
        make("Sub", "1", watts=900, state="broken"),
        make("Top", "2", watts=400),
        make("Monitor", "3"),
    ]


class TestTable:
    def test_has_the_columns_of_the_model(self, ada: User) -> None:
        table = rooms.table_of("speaker", ada, at=NOW)
        kinds = {key: column.type for key, column in table.columns.items()}
        assert kinds == {
            "name": FieldType.TEXT, "serial": FieldType.TEXT, "watts": FieldType.INTEGER,
            "state": FieldType.CHOICE, "bought_on": FieldType.DATE, "notes": FieldType.LONG_TEXT,
        }  # fmt: skip
        with pytest.raises(rooms.NoRoom):
            rooms.table_of("nothing", ada, at=NOW)

    @pytest.mark.parametrize(
        ("address", "found"),
        [
            ({"f": "watts:over:500"}, ["Sub"]),
            ({"f": "watts:empty:"}, ["Monitor"]),
            ({"f": "state:is:ok"}, ["Top", "Monitor"]),
            ({"f": "state:not:ok"}, ["Sub"]),
            ({"f": "name:starts:MON"}, ["Monitor"]),
            ({"f": "notes:empty:"}, ["Sub", "Top", "Monitor"]),
            ({"q": "mon"}, ["Monitor"]),
            ({"sort": "watts"}, ["Top", "Sub", "Monitor"]),
            ({"sort": "-watts"}, ["Sub", "Top", "Monitor"]),
            ({"sort": "name"}, ["Monitor", "Sub", "Top"]),
        ],
    )
    def test_filters_sorts_and_searches(
        self, speakers: list[Speaker], ada: User, address: dict[str, str], found: list[str]
    ) -> None:
        table = rooms.table_of("speaker", ada, at=NOW)
        titles = [row.title for row in table.page(table.parse(address)).rows]
        assert titles == found if "sort" in address else set(titles) == set(found)

    def test_pages_by_keyset(self, inside: Organisation, ada: User) -> None:
        for number in range(60):
            make(f"{number % 7}", str(number), watts=number % 5 or None)
        table = rooms.table_of("speaker", ada, at=NOW)
        for sort in ("", "watts", "-watts", "name"):
            query, seen = table.parse({"sort": sort, "size": "25"}), []
            while True:
                page = table.page(query)
                seen += [row.id for row in page.rows]
                if not page.following:
                    break
                query = query.going(after=page.following)
            assert len(seen) == len(set(seen)) == 60
        with pytest.raises(BadQuery):
            table.page(TableQuery(after="nonsense"))


class TestRights:
    def test_come_from_roles_and_grants(
        self, speakers: list[Speaker], ada: User, ben: User, cy: User
    ) -> None:
        policy = policy_for(Speaker)
        assert [policy.visible_to(user, NOW).count() for user in (ada, ben, cy)] == [3, 3, 0]
        number = policy.permission_ids([perms.RECORDS_VIEW])[0]
        UserGrant.objects.create(
            user=cy, permission_id=number, object_pk=str(speakers[0].pk),
            content_type=ContentType.objects.get_for_model(Speaker), ends_at=NOW + timedelta(days=1),
        )  # fmt: skip
        table = rooms.table_of("speaker", cy, at=NOW)
        assert [row.title for row in table.page(TableQuery()).rows] == ["Sub"]
        assert policy.allows(cy, perms.RECORDS_VIEW, speakers[0], NOW)
        assert not policy.allows(cy, perms.RECORDS_CHANGE, speakers[0], NOW)


class TestRows:
    def test_are_added_and_changed_with_words_for_what_is_wrong(self, ada: User) -> None:
        made = actions.create(room=ROOM, values={"name": "Sub", "serial": "9"}, by=ada, at=NOW)
        with pytest.raises(Invalid) as refusal:
            actions.create(room=ROOM, values={"watts": "many", "state": "x"}, by=ada, at=NOW)
        assert set(refusal.value.errors) == {"name", "serial", "watts", "state"}
        with pytest.raises(Invalid):
            actions.create(room=ROOM, values={"name": "x" * 101, "serial": "1"}, by=ada, at=NOW)
        with pytest.raises(Taken) as taken:
            actions.create(room=ROOM, values={"name": "x", "serial": "9"}, by=ada, at=NOW)
        assert set(taken.value.errors) == {"serial"}
        actions.change(room=ROOM, pk=made.pk, values={"watts": "5"}, seen={"watts": None}, by=ada, at=NOW)
        with pytest.raises(actions.RowConflict):
            actions.change(room=ROOM, pk=made.pk, values={"watts": "6"}, seen={"watts": None}, by=ada, at=NOW)
        actions.remove(room=ROOM, pk=made.pk, by=ada, at=NOW)
        assert not Speaker.objects.exists()

    def test_are_loaded_as_an_import_does(self, ada: User) -> None:
        rows = [dumps({"name": "a", "serial": str(number), "bought_on": "2026-01-01"}) for number in range(5)]
        assert len(actions.load(room=ROOM, rows=rows, by=ada.pk, at=NOW)) == 5
        assert Speaker.objects.filter(bought_on__year=2026).count() == 5
        with pytest.raises(Taken):
            actions.load(room=ROOM, rows=rows[:1], by=ada.pk, at=NOW)

    def test_can_be_made_up_for_probes(self, inside: Organisation) -> None:
        assert examples.make(ROOM, marker="marker").name.startswith("marker")  # type: ignore[attr-defined]  # a Speaker


class TestTrail:
    def test_captures_the_rows(self, inside: Organisation) -> None:
        one = make("Sub", "1")
        assert trail.knows(Speaker)
        assert Event.objects.filter(object_id=one.pk, code="gear.speaker.added").count() == 1


def test_the_whole_room_is_one_short_file() -> None:
    folder = Path(__file__).parent.parent / "rooms" / "gear"
    lines = [line for file in folder.glob("*.py") for line in file.read_text().splitlines()]
    assert len(lines) < 40
