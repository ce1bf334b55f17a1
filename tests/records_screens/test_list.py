"""The list of a collection."""

import re

from django.test import Client

from records.models import Collection
from tests.records_screens.conftest import LIST


def names(page: str) -> list[str]:
    """Return the names in the first column, in order."""
    return re.findall(r"data-panel>([^<]+)</a></th>", page)


class TestList:
    def test_shows_the_newest_first(self, ada: Client, gigs: Collection) -> None:
        page = ada.get(LIST).content.decode()
        assert names(page) == ["Warehouse", "Cellar", "Harbour"]
        assert "3 records" in " ".join(page.split())
