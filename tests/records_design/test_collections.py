"""Making collections, their order and settings, their bin."""

from collections.abc import Callable
from typing import Any

from django.test import Client
from django.utils import timezone

from records.models import Collection, Field
from records.values import FieldType
from tenants.models import Organisation
from tests.conftest import ClientAs

Inside = Callable[[], Any]
Order = Callable[[], list[str]]
Count = Callable[[Callable[[], object]], int]
NEW = "/collections/new/"
ORDER = "/c/gigs/design/order/"
SHOWN = "/c/gigs/design/shown/"
REMOVE = "/c/gigs/settings/bin/"


class TestANewCollection:
    def test_begins_with_one_field_that_names_its_records(self, ada: Client, inside: Inside) -> None:
        sent = {"way": "new", "new-name": "Venues", "new-icon": "map-pin", "new-first": "Hall"}
        response = ada.post(NEW, sent)

        with inside():
            made = Collection.objects.get(name="Venues")
            (first,) = made.live_fields()
        assert (response.headers["Location"], made.icon) == ("/c/venues/design/", "map-pin")
        assert (first.name, first.required, made.title_key) == ("Hall", True, first.key)

    def test_may_have_the_design_of_another(self, ada: Client, gigs: Collection, inside: Inside) -> None:
        with inside():
            Collection.objects.filter(pk=gigs.pk).update(default_sort="-f_state")
            Field.objects.filter(key="f_state").update(indexed=True)
        ada.post(NEW, {"way": "copy", "copy-source": str(gigs.pk), "copy-name": "Tours"})

        with inside():
            made = Collection.objects.get(name="Tours")
            name, guests, state = made.live_fields()
            assert [name.name, guests.name, state.name] == ["Name", "Guests", "State"]
            assert (made.title_key, made.default_sort) == (name.key, f"-{state.key}")
            assert (len(state.choices), state.indexed, made.record_count()) == (2, True, 0)
            assert state.key != "f_state"

    def test_keeps_what_was_typed_when_it_is_refused(self, ada: Client, gigs: Collection) -> None:
        response = ada.post(NEW, {"way": "new", "new-name": "Venues", "new-icon": "map-pin", "new-first": ""})

        assert (response.status_code, b'value="Venues"' in response.content) == (422, True)

    def test_takes_no_icon_that_nobody_can_draw(self, ada: Client, inside: Inside) -> None:
        response = ada.post(
            NEW, {"way": "new", "new-name": "Venues", "new-icon": "no-such", "new-first": "Name"}
        )

        assert response.status_code == 422


class TestTheOrder:
    def test_follows_the_buttons(self, ada: Client, order: Order) -> None:
        ada.post(ORDER, {"seen": order(), "key": order(), "up": "f_state"})
        assert order() == ["f_name", "f_state", "f_guests"]
        ada.post(ORDER, {"seen": order(), "key": order(), "down": "f_name"})
        assert order() == ["f_state", "f_name", "f_guests"]

    def test_follows_dragging(self, ada: Client, order: Order) -> None:
        ada.post(ORDER, {"seen": order(), "key": ["f_guests", "f_state", "f_name"], "dragged": "f_name"})

        assert order() == ["f_guests", "f_state", "f_name"]

    def test_stays_at_its_ends(self, ada: Client, order: Order) -> None:
        ada.post(ORDER, {"seen": order(), "up": "f_name"})
        ada.post(ORDER, {"seen": order(), "down": "f_state"})

        assert order() == ["f_name", "f_guests", "f_state"]

    def test_comes_as_a_fragment_that_says_where_the_field_is(self, ada: Client, order: Order) -> None:
        response = ada.post(
            ORDER,
            {"seen": order(), "up": "f_state"},
            headers={"hx-request": "true", "hx-target": "fields"},
        )

        text = response.content.decode()
        assert ("<html" in text, "State is number 2 of 3." in text) == (False, True)


class TestHowRecordsAreShown:
    def test_is_kept(self, ada: Client, gigs: Collection, inside: Inside) -> None:
        mark = ada.get("/c/gigs/design/").context["shown_mark"]
        sent = {"seen": mark, "title_key": "f_guests", "sort_key": "f_state", "descending": "1"}
        ada.post(SHOWN, sent)

        with inside():
            kept = Collection.objects.get(pk=gigs.pk)
        assert (kept.title_key, kept.default_sort) == ("f_guests", "-f_state")

    def test_is_not_written_over_by_who_saw_something_older(
        self, ada: Client, gigs: Collection, inside: Inside
    ) -> None:
        response = ada.post(SHOWN, {"seen": "older", "title_key": "", "sort_key": ""})

        with inside():
            assert (response.status_code, Collection.objects.get(pk=gigs.pk).title_key) == (409, "f_name")


class TestTheBin:
    def test_wants_the_name_typed(self, ada: Client, gigs: Collection, inside: Inside) -> None:
        response = ada.post(REMOVE, {"confirm": "gig"})

        with inside():
            binned = Collection.objects.get(pk=gigs.pk).deleted_at
        assert (response.status_code, binned) == (422, None)

    def test_says_what_goes_with_a_collection(self, ada: Client, gigs: Collection, inside: Inside) -> None:
        with inside():
            other = Collection.objects.create(name="Tours", key="tours")
            other.fields.create(name="Gig", type=FieldType.RECORD.value, options={"collection": str(gigs.pk)})
        text = ada.get(REMOVE).content.decode()

        assert "3 records go with it" in text
        assert "1 field of another collection links to it" in text

    def test_gives_a_collection_back(self, ada: Client, gigs: Collection, inside: Inside) -> None:
        response = ada.post(REMOVE, {"confirm": "Gigs"}, follow=True)
        gone = ada.get("/c/gigs/design/").status_code
        address = f"/collections/bin/{gigs.pk}/restore/"
        offered = address in ada.get("/collections/bin/").content.decode()
        ada.post(address)

        assert f'action="{address}"' in response.content.decode()
        assert (gone, offered, ada.get("/c/gigs/design/").status_code) == (404, True, 200)

    def test_gives_nothing_to_who_may_not_design(
        self, pulse: Organisation, ada: Client, client_as: ClientAs, gigs: Collection
    ) -> None:
        ada.post(REMOVE, {"confirm": "Gigs"})
        ben = client_as("ben@pulse.example", pulse)

        assert ben.post(f"/collections/bin/{gigs.pk}/restore/").status_code == 404


class TestQueries:
    def test_do_not_grow_with_the_fields(
        self, ada: Client, gigs: Collection, inside: Inside, counted: Count
    ) -> None:
        few = counted(lambda: ada.get("/c/gigs/design/"))
        with inside():
            for number in range(30):
                gigs.fields.create(
                    name=f"F{number}", type="record", options={"collection": str(gigs.pk)}, position=number
                )

        assert counted(lambda: ada.get("/c/gigs/design/")) == few

    def test_do_not_grow_with_the_bin(
        self, ada: Client, gigs: Collection, inside: Inside, counted: Count
    ) -> None:
        with inside():
            Collection.objects.create(name="One", key="one", deleted_at=timezone.now())
        few = counted(lambda: ada.get("/collections/bin/"))
        with inside():
            for number in range(10):
                Collection.objects.create(name="One", key=f"one-{number}", deleted_at=timezone.now())

        assert counted(lambda: ada.get("/collections/bin/")) == few
