"""IMP-2 and the plain zips: names are ignored, one table is found, odd zips are refused."""

from pathlib import Path

import pytest

from records.importing import Limits, Unreadable
from tests.importing.conftest import Opener
from tests.importing.corpus import TABLE, Entry, entry, zipped

NAMES = [
    b"../../../etc/cron.d/evil",
    b"/etc/passwd",
    b"C:\\windows\\evil.csv",
    b"CON",
    b"a\0b.csv",
    b"x" * 4096,
    b"",
    b"folder/",
    b"\xff\xfe.csv",
]


class TestNamesInAZip:
    @pytest.mark.parametrize("name", NAMES)
    def test_are_never_used(self, opened: Opener, work: Path, name: bytes) -> None:
        source = opened(zipped([entry(name, TABLE)]))

        assert source.rows == 50
        assert [path.name.startswith("import-") for path in work.iterdir()] == [True]

    def test_may_be_the_same_twice_without_hiding_a_file(self, opened: Opener) -> None:
        with pytest.raises(Unreadable) as refusal:
            opened(zipped([entry("a.csv", TABLE), entry("a.csv", TABLE)]))

        assert refusal.value.code == "zip-several"


class TestZip:
    def test_is_read_beside_the_shadow_files_of_a_mac(self, opened: Opener) -> None:
        shadow = entry("__MACOSX/._a.csv", b"\x00\x05\x16\x07 and more")

        source = opened(zipped([entry("x/", b""), shadow, entry("x/a.csv", TABLE)]))

        assert (source.kind, source.packed, source.rows) == ("csv", True, 50)

    def test_may_hold_stored_bytes(self, opened: Opener) -> None:
        stored = Entry(b"a", TABLE, len(TABLE), entry("a", TABLE).crc, method=0)

        assert opened(zipped([stored])).rows == 50

    def test_leaves_no_file_when_closed_or_refused(self, opened: Opener, work: Path) -> None:
        opened(zipped([entry("a", TABLE)])).close()
        with pytest.raises(Unreadable):
            opened(zipped([entry("a", b"a,a\n1,2\n")]))

        assert list(work.iterdir()) == []

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (zipped([]), "zip-empty"),
            (zipped([entry("a", b"")]), "zip-empty"),
            (zipped([entry("a", TABLE, method=12)]), "zip-method"),
            (zipped([entry(str(n), b"") for n in range(21)]), "zip-entries"),
            (
                zipped([entry("[Content_Types].xml", b"<a/>"), entry("word/document.xml", b"<a/>")]),
                "not-a-table",
            ),
            (b"PK\x03\x04" + b"x" * 50, "zip-damaged"),
            (zipped([entry("a", TABLE)])[:-1], "zip-damaged"),
            (zipped([entry("a", TABLE), Entry(b"b", b"", 0, 0, offset=9)]), "zip-damaged"),
        ],
    )
    def test_that_is_odd_is_refused(self, opened: Opener, data: bytes, code: str) -> None:
        with pytest.raises(Unreadable) as refusal:
            opened(data)

        assert refusal.value.code == code

    def test_is_held_to_the_bytes_that_come_out(self, opened: Opener) -> None:
        data = zipped([entry("a", TABLE)])

        assert opened(data, limits=Limits(inflated_bytes=len(TABLE))).rows == 50
        with pytest.raises(Unreadable, match="larger than"):
            opened(data, limits=Limits(inflated_bytes=len(TABLE) - 1))
        with pytest.raises(Unreadable, match="larger than"):
            opened(data, limits=Limits(file_bytes=len(data) - 1))
