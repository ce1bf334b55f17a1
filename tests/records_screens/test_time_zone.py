"""Moments are shown in the organisation's time zone."""

from django.utils import timezone

from accounts.identity.models import User
from accounts.models import OrganisationProfile
from accounts.models.profile import PROFILE_ID
from records.actions import collections, records
from records.values import FieldSpec, FieldType
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP, signed_in


class TestTimeZone:
    def test_of_the_organisation_is_what_lists_show(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            owner, now = User.objects.get(email="ada@pulse.example"), timezone.now()
            OrganisationProfile.objects.update_or_create(
                pk=PROFILE_ID, defaults={"time_zone": "Europe/Berlin"}
            )
            spec = FieldSpec("f_doors", "Doors", FieldType.DATETIME)
            made = collections.create(name="Doors", fields=(spec,), title_key="f_doors", by=owner, at=now)
            values = {"f_doors": "2026-11-21T22:30:00Z"}
            done = records.create(collection=made, values=values, by=owner, at=now)
            assert done.record is not None
        ada = signed_in(pulse, "ada@pulse.example")
        assert "21 Nov 2026 23:30</time>" in ada.get("/c/doors/").content.decode()
        # The name of a record says the same as its cell.
        assert "<h1>21 Nov 2026 23:30</h1>" in ada.get(f"/c/doors/r/{done.record.pk}/").content.decode()
