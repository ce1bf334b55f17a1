"""A field of each type: designed in the browser, typed into a cell, filtered by every condition it knows."""

from typing import Any

import pytest
from django.test import Client

from accounts.identity.models import User
from records.models import Collection, Record
from records.tables import OPERATORS
from records.values import FieldType
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP
from tests.records_screens.conftest import LIST, Find
from tests.records_screens.test_list import HTMX, names, text
from tests.records_screens.test_record import hidden_of, page_of

# What is typed, and what the cell shows then.
TYPED: dict[FieldType, tuple[Any, str]] = {
    FieldType.TEXT: ("Blue Hall", "Blue Hall"),
    FieldType.LONG_TEXT: ("Doors\nat nine", "Doors at nine"),
    FieldType.INTEGER: ("1,240", "1240"),
    FieldType.DECIMAL: ("3.75", "3.75"),
    FieldType.MONEY: ("48", "48.00"),
    FieldType.YES_NO: ("yes", "Yes"),
    FieldType.DATE: ("2026-03-14", "14 Mar 2026"),
    FieldType.TIME: ("19:30", "19:30"),
    FieldType.DATETIME: ("2026-03-14T19:30", "14 Mar 2026 19:30"),
    FieldType.CHOICE: ("Rain", "Rain"),
    FieldType.CHOICES: (["Rain", "Sun"], "Rain Sun"),
    FieldType.EMAIL: ("box@hall.example", "box@hall.example"),
    FieldType.LINK: ("https://hall.example/x", "hall.example/x"),
    FieldType.PERSON: ("ben", "Ben Castillo"),
    FieldType.RECORD: ("Harbour", "Harbour"),
}


@pytest.fixture
def keys(ada: Client, pulse: Organisation, gigs: Collection) -> dict[FieldType, str]:
    """Add a field of each type on the page of the design; the keys by type."""
    for kind in FieldType:
        sent = {
            "name": f"My {kind.value}",
            "type": kind.value,
            "new_choices": "Sun\nRain",
            "currency": "EUR",
            "target": str(gigs.pk),
        }
        answer = ada.post(f"{LIST}design/add/", sent)
        assert answer.status_code == 302, text(answer.content.decode())
    with enter(pulse, actor=SETTING_UP):
        made = {one.name: one.key for one in gigs.fields.all()}
    return {kind: made[f"My {kind.value}"] for kind in FieldType}


def typed(organisation: Organisation, kind: FieldType, gig: Find) -> Any:
    """Return what is sent for a type; people and records by their ids."""
    value = TYPED[kind][0]
    if kind is FieldType.PERSON:
        with enter(organisation, actor=SETTING_UP):
            return str(User.objects.get(email="ben@pulse.example").pk)
    return str(gig(value).pk) if kind is FieldType.RECORD else value


class TestEveryType:
    def test_is_edited_in_place_and_emptied_again(
        self, ada: Client, pulse: Organisation, gig: Find, keys: dict[FieldType, str]
    ) -> None:
        record = gig("Cellar")
        assert set(TYPED) == set(FieldType) - {FieldType.FILE}
        for kind, (_, shown) in TYPED.items():
            address = f"{page_of(record)}edit/{keys[kind]}/"
            begun = hidden_of(ada.get(address, headers=HTMX).content.decode())
            sent = {**begun, keys[kind]: typed(pulse, kind, gig)}
            answer = ada.post(address, sent, headers=HTMX)
            assert answer.status_code == 200, (kind, text(answer.content.decode()))
            assert text(answer.content.decode()).strip() == shown, kind
            assert shown in text(ada.get(LIST).content.decode())
            again = hidden_of(ada.get(address, headers=HTMX).content.decode())
            # Boxes that are all unticked are not sent at all.
            nothing = {} if kind is FieldType.CHOICES else {keys[kind]: ""}
            emptied = ada.post(address, {**again, **nothing}, headers=HTMX)
            assert emptied.status_code == 200, kind
            assert "–" in text(emptied.content.decode()), kind
        assert gig("Cellar").values.keys() == record.values.keys()

    def test_is_filtered_by_every_condition(
        self, ada: Client, pulse: Organisation, gig: Find, keys: dict[FieldType, str]
    ) -> None:
        form = {keys[kind]: typed(pulse, kind, gig) for kind in TYPED}
        ada.post(f"{LIST}new/", {**form, "f_name": "Full"})
        assert isinstance(gig("Full"), Record)
        for kind, operators in OPERATORS.items():
            for op in operators:
                value = typed(pulse, kind, gig) if kind in TYPED else ""
                asked = {"field": keys[kind], "op": op.value, "value": value, "until": value, "set": "1"}
                there = ada.get(f"{LIST}filter/", asked)
                assert there.status_code == 302, (kind, op, text(there.content.decode()))
                page = ada.get(there["Location"])
                assert page.status_code == 200, (kind, op)
                found = set(names(page.content.decode()))
                others = {"Cellar", "Harbour", "Warehouse"}
                expected = EXPECTED.get((kind, op.value)) or WHO[op.value]
                meant = {"full": {"Full"}, "others": others, "none": set(), "all": {*others, "Full"}}
                assert found == meant[expected], (kind, op)


# Who is found by asking for what the full record holds.
WHO = {
    "is": "full", "not": "others", "has": "full", "starts": "full", "over": "none", "under": "none",
    "between": "full", "before": "none", "after": "none", "empty": "others", "filled": "full", "any": "full",
}  # fmt: skip
# The file was never filled.
EXPECTED = {(FieldType.FILE, "filled"): "none", (FieldType.FILE, "empty"): "all"}
