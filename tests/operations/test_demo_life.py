"""The demonstration: nights that move like music, and a small organisation with some days behind it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import mean
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.identity.models import User
from accounts.models import Invitation
from operations.demo.everything import SHOWS, load
from operations.demo.nights import Night, Reading, gig_days, make_nights, make_readings, make_wearers
from operations.demo.places import ARTISTS, PULSE_VENUES
from permissions import perms
from permissions.policies import policy_for
from records.models import Collection, Record, RecordFile, SavedView
from tenants.context import Actor, enter
from tenants.models import Organisation

BERLIN = ZoneInfo("Europe/Berlin")
# A Saturday: the night of this very day is neither over nor counted as coming.
TODAY = date(2026, 11, 28)


def night() -> Night:
    """Return a night in winter."""
    days = [date(2026, 11, 27)]
    return make_nights(Random(3), venues=PULSE_VENUES, artists=ARTISTS, days=days, zone=BERLIN)[0]


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    """What forty wristbands said in a night."""
    random, one = Random(4), night()
    wearers = make_wearers(random, one, [f"WB-{number}" for number in range(40)])
    return list(make_readings(random, one, wearers, every=timedelta(minutes=2)))


class TestNights:
    def test_fall_on_fridays_and_saturdays_before_and_after_today(self) -> None:
        days = gig_days(TODAY, past=5, coming=3)
        assert len(days) == len(set(days)) == 8
        assert days == sorted(days)
        assert {day.weekday() for day in days} == {4, 5}
        assert days[4] < TODAY < days[5]

    def test_begin_at_the_same_hour_summer_and_winter(self) -> None:
        days = [date(2026, 7, 3), date(2026, 12, 4)]
        made = make_nights(Random(1), venues=PULSE_VENUES, artists=ARTISTS, days=days, zone=BERLIN)
        assert [one.doors for one in made] == [
            datetime(2026, 7, 3, 17, 30, tzinfo=UTC),
            datetime(2026, 12, 4, 18, 30, tzinfo=UTC),
        ]

    def test_move_with_the_music(self, readings: list[Reading]) -> None:
        loud = [one.energy for one in readings if one.track]
        between = [one.energy for one in readings if not one.track]
        assert mean(loud) > 2 * mean(between)
        assert {one.zone for one in readings} == {name for name, _ in night().venue.zones}
        assert all(0 <= one.energy <= 100 and 0 < one.battery <= 100 for one in readings)

    def test_last_from_the_doors_to_a_while_after_the_last_track(self, readings: list[Reading]) -> None:
        one = night()
        assert min(reading.at for reading in readings) >= one.doors
        assert max(reading.at for reading in readings) <= one.ends + timedelta(minutes=36)


class TestSmallOrganisation:
    def test_has_a_look_people_records_and_some_days_behind_it(self, db: None) -> None:
        show = replace(SHOWS[2], readings=150)
        load([show])
        organisation = Organisation.objects.get(slug=show.wish.slug)
        with enter(organisation, actor=Actor.system("test")):
            collections = {one.key: one for one in Collection.objects.all()}
            assert [*collections] == ["crowd-readings", "events", "venues", "wristbands"]
            assert Record.objects.filter(collection=collections["crowd-readings"]).count() == 150
            states = Record.objects.filter(collection=collections["events"]).values_list(
                "values__state", flat=True
            )
            assert {"over", "planned", "on_sale"} <= set(states)
            assert SavedView.objects.filter(is_shared=True).count() > 3
            assert RecordFile.objects.get().name == "Plan of Village hall.png"
            assert Record.objects.binned().get().values["number"] == "Test band"
            assert Invitation.objects.waiting().get().email == "nia@stage.example"
            helper = User.objects.get(email="owen@stage.example")
            policy, now = policy_for(Collection), timezone.now()
            assert policy.allows(helper, perms.RECORDS_VIEW, collections["events"], now)
            assert not policy.allows(helper, perms.RECORDS_VIEW, collections["venues"], now)
