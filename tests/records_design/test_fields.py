"""Adding, changing and removing fields; what a change does to the data is said first."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from records.models import Collection, Field, Record
from tests.records_design.conftest import form_of

Read = Callable[[str], Field]
Inside = Callable[[], Any]
ADD = "/c/gigs/design/add/"
GUESTS = "/c/gigs/design/f/f_guests/"
STATE = "/c/gigs/design/f/f_state/"


def values(inside: Inside, key: str) -> list[object]:
    """Return what the records have in a field."""
    with inside():
        return [row.values.get(key) for row in Record.objects.order_by("values__f_name")]


class TestAdding:
    def test_puts_the_field_at_the_end(
        self, ada: Client, gigs: Collection, order: Callable[[], list[str]], inside: Inside
    ) -> None:
        ada.post(ADD, {"name": "Fee", "type": "money", "currency": "usd", "places": "0", "indexed": "on"})

        with inside():
            made = gigs.fields.get(name="Fee")
        assert (order()[-1], made.options, made.indexed) == (made.key, {"currency": "USD", "places": 0}, True)

    def test_makes_a_choice_of_each_line(self, ada: Client, gigs: Collection, inside: Inside) -> None:
        ada.post(ADD, {"name": "Genre", "type": "choices", "new_choices": "Jazz\n\n  Free  jazz \njazz"})

        with inside():
            made = gigs.fields.get(name="Genre")
        assert [(each["code"], each["label"]) for each in made.choices] == [
            ("Jazz", "Jazz"),
            ("Free jazz", "Free jazz"),
        ]

    def test_links_to_another_collection(self, ada: Client, gigs: Collection, inside: Inside) -> None:
        ada.post(ADD, {"name": "Before", "type": "record", "target": str(gigs.pk)})

        with inside():
            assert gigs.fields.get(name="Before").options["collection"] == str(gigs.pk)

    def test_keeps_what_was_typed_when_it_is_refused(self, ada: Client, gigs: Collection) -> None:
        response = ada.post(ADD, {"name": "Guests", "type": "integer", "help": "At the door"})

        text = response.content.decode()
        assert (response.status_code, "called Guests already" in text, "At the door" in text) == (
            422,
            True,
            True,
        )

    def test_asks_for_what_the_type_needs(self, ada: Client, gigs: Collection) -> None:
        wanted = {
            "choice": "at least one choice",
            "money": "three letters of",
            "record": "Choose the collection",
        }
        for kind, words in wanted.items():
            response = ada.post(ADD, {"name": "Other", "type": kind})
            assert (response.status_code, words in response.content.decode()) == (422, True)


class TestChanging:
    def test_saves_at_once_what_touches_no_data(self, ada: Client, field: Read) -> None:
        response = ada.post(GUESTS, form_of(field("f_guests"), name="Visitors", help="Counted"))

        assert (response.status_code, field("f_guests").name, field("f_guests").help) == (
            302,
            "Visitors",
            "Counted",
        )

    def test_says_first_what_would_be_emptied(self, ada: Client, field: Read, inside: Inside) -> None:
        response = ada.post(GUESTS, form_of(field("f_guests"), type="integer"))

        assert "1 of 2 values are not whole numbers and would be emptied." in response.content.decode()
        assert (field("f_guests").type, values(inside, "f_guests")) == ("text", ["120", "many", None])

    def test_does_it_when_one_agrees(self, ada: Client, field: Read, inside: Inside) -> None:
        sent = form_of(field("f_guests"), type="integer")
        ada.post(GUESTS, {**sent, "agreed": ada.post(GUESTS, sent).context["agreed"]})

        assert (field("f_guests").type, values(inside, "f_guests")) == ("integer", [120, None, None])

    def test_asks_again_when_more_would_be_emptied_by_now(
        self, ada: Client, gigs: Collection, field: Read, inside: Inside
    ) -> None:
        sent = form_of(field("f_guests"), type="integer")
        agreed = ada.post(GUESTS, sent).context["agreed"]
        with inside():
            Record.objects.create(collection=gigs, values={"f_name": "Zero", "f_guests": "few"})
        response = ada.post(GUESTS, {**sent, "agreed": agreed})

        assert "2 of 3 values are not whole numbers" in response.content.decode()
        assert field("f_guests").type == "text"

    def test_goes_back_to_the_form_with_what_was_typed(self, ada: Client, field: Read) -> None:
        response = ada.post(GUESTS, form_of(field("f_guests"), name="Heads", type="integer", do="back"))

        assert (response.status_code, 'value="Heads"' in response.content.decode()) == (200, True)
        assert field("f_guests").name == "Guests"

    def test_refuses_unique_where_values_repeat(
        self, ada: Client, gigs: Collection, field: Read, inside: Inside
    ) -> None:
        with inside():
            Record.objects.create(collection=gigs, values={"f_name": "Twin", "f_guests": "120"})
        sent = form_of(field("f_guests"), unique="on")
        response = ada.post(GUESTS, {**sent, "agreed": "0/0/0"})

        assert (response.status_code, "cannot be unique" in response.content.decode()) == (409, True)
        assert field("f_guests").unique is False

    def test_says_who_will_see_a_field_that_is_no_longer_sensitive(
        self, ada: Client, gigs: Collection, field: Read, inside: Inside
    ) -> None:
        with inside():
            gigs.fields.filter(key="f_guests").update(sensitive=True)
        response = ada.post(GUESTS, form_of(field("f_guests"), sensitive=None))

        assert "Everybody who sees the records" in response.content.decode()
        assert field("f_guests").sensitive is True

    def test_proposes_the_texts_in_it_as_choices(self, ada: Client, field: Read) -> None:
        response = ada.post(GUESTS, form_of(field("f_guests"), type="choice"))

        assert [row.label for row in response.context["form"].rows] == ["120", "many"]
        assert field("f_guests").type == "text"


class TestManyRecords:
    def test_are_converted_by_a_job_that_the_design_shows(
        self, ada: Client, gigs: Collection, field: Read, inside: Inside
    ) -> None:
        with inside():
            rows = [Record(collection=gigs, values={"f_guests": str(number)}) for number in range(2_000)]
            Record.objects.bulk_create(rows)
        sent = form_of(field("f_guests"), type="integer")
        asked = ada.post(GUESTS, sent)
        ada.post(GUESTS, {**sent, "agreed": asked.context["agreed"]})

        assert "goes on in the background" in asked.content.decode()
        text = ada.get("/c/gigs/design/").content.decode()
        assert ("Convert Guests of Gigs" in text, 'href="/jobs/' in text) == (True, True)


class TestChoices:
    def test_are_moved_and_removed_without_being_kept(self, ada: Client, field: Read) -> None:
        sent = form_of(field("f_state"))
        moved = ada.post(STATE, {**sent, "do": "down:0"}).context["form"].rows
        left = ada.post(STATE, {**sent, "do": "remove:0"}).context["form"].rows

        assert [row.code for row in moved] == ["on", "planned"]
        assert ([row.code for row in left], len(field("f_state").choices)) == (["on"], 2)

    def test_come_alone_when_htmx_asks(self, ada: Client, field: Read) -> None:
        response = ada.post(
            STATE,
            {**form_of(field("f_state")), "do": "add", "new_choices": "Cancelled"},
            headers={"hx-request": "true", "hx-target": "choices"},
        )

        assert ("<html" in response.content.decode(), b'value="Cancelled"' in response.content) == (
            False,
            True,
        )

    def test_are_renamed_without_touching_the_records(self, ada: Client, field: Read, inside: Inside) -> None:
        response = ada.post(STATE, form_of(field("f_state"), label=["Planned", "Confirmed"]))

        assert (response.status_code, field("f_state").choices[1]) == (
            302,
            {"code": "on", "label": "Confirmed"},
        )
        assert values(inside, "f_state") == ["on", "planned", None]

    def test_say_what_removing_one_empties(self, ada: Client, field: Read) -> None:
        response = ada.post(STATE, form_of(field("f_state"), code=["on"], label=["On"]))

        assert "1 of 2 values are not among the choices and would be emptied." in response.content.decode()

    def test_cannot_share_a_name(self, ada: Client, field: Read) -> None:
        response = ada.post(STATE, form_of(field("f_state"), label=["On", "on"]))

        assert (response.status_code, "on is there twice" in response.content.decode()) == (422, True)


class TestRemoving:
    def test_says_what_goes_with_the_field(self, ada: Client, gigs: Collection) -> None:
        text = ada.get(f"{GUESTS}remove/").content.decode()

        assert "2 of 3 records have a value in it." in text

    def test_can_be_taken_back_with_the_values(self, ada: Client, field: Read, inside: Inside) -> None:
        mark = ada.get(f"{GUESTS}remove/").context["kept"][0][1]
        response = ada.post(f"{GUESTS}remove/", {"mark": mark}, follow=True)
        removed = field("f_guests").deleted_at
        ada.post(f"{GUESTS}restore/")

        assert b'action="/c/gigs/design/f/f_guests/restore/"' in response.content
        assert (removed is not None, field("f_guests").deleted_at) == (True, None)
        assert values(inside, "f_guests") == ["120", "many", None]

    def test_is_refused_when_another_field_has_its_name_by_now(
        self, ada: Client, gigs: Collection, field: Read
    ) -> None:
        mark = ada.get(f"{GUESTS}remove/").context["kept"][0][1]
        ada.post(f"{GUESTS}remove/", {"mark": mark})
        ada.post(ADD, {"name": "guests", "type": "integer"})
        response = ada.post(f"{GUESTS}restore/", follow=True)

        assert "There is a field called Guests already." in response.content.decode()
