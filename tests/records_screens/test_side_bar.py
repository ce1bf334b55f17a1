"""The side bar: the organisation's collections, always in the same order."""

import re

from django.utils import timezone

from accounts.identity.models import User
from records.actions import collections
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP, signed_in


class TestCollections:
    def test_stand_by_name_whenever_they_were_made(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            owner = User.objects.get(email="ada@pulse.example")
            for name in ("Mixers", "Amps", "Zithers", "Bells", "Kazoos", "Drums"):
                collections.create(name=name, by=owner, at=timezone.now())
        page = signed_in(pulse, "ada@pulse.example").get("/").content.decode()
        shown = re.findall(r'href="/c/(amps|bells|drums|kazoos|mixers|zithers)/"', page)
        assert shown[:6] == ["amps", "bells", "drums", "kazoos", "mixers", "zithers"]
