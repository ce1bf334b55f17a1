"""Files that strangers send: zips written by hand, so that they can lie, and workbooks made to burst."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True)
class Entry:
    """One file of a zip, with everything the directory says about it."""

    name: bytes
    packed: bytes
    size: int
    crc: int
    method: int = 8
    flags: int = 0
    offset: int | None = None  # where the directory says it is, if that is a lie


def raw(data: bytes) -> bytes:
    """Return deflated bytes without a wrapper."""
    engine = zlib.compressobj(9, wbits=-15)
    return engine.compress(data) + engine.flush()


def entry(name: str | bytes, data: bytes, **lies: int) -> Entry:
    """Return an honest entry, but for the lies."""
    honest = {"size": len(data), "crc": zlib.crc32(data)}
    spoken = name if isinstance(name, bytes) else name.encode()
    return Entry(spoken, raw(data), **{**honest, **lies})


def burst(name: str, block: bytes, times: int, head: bytes = b"", tail: bytes = b"") -> Entry:
    """Return an entry that unpacks to `times` blocks, made without making them all."""
    engine = zlib.compressobj(9, wbits=-15)
    first = engine.compress(head) + engine.flush(zlib.Z_FULL_FLUSH)
    one = engine.compress(block) + engine.flush(zlib.Z_FULL_FLUSH)
    last = engine.compress(tail) + engine.flush()
    size, crc = len(head) + len(block) * times + len(tail), 0
    if times < 100:  # sooner or later one that is read to its end must be honest
        crc = zlib.crc32(head + block * times + tail)
    return Entry(name.encode(), first + one * times + last, size, crc)


def zipped(entries: Sequence[Entry]) -> bytes:
    """Return a zip of the entries."""
    body, directory = bytearray(), bytearray()
    for one in entries:
        offset = len(body) if one.offset is None else one.offset
        if one.offset is None:
            sizes = (one.crc, len(one.packed), one.size, len(one.name), 0)
            body += (
                LOCAL.pack(b"PK\x03\x04", 20, one.flags, one.method, 0, 33, *sizes) + one.name + one.packed
            )
        directory += CENTRAL.pack(
            b"PK\x01\x02", 20, 20, one.flags, one.method, 0, 33, one.crc, len(one.packed), one.size,
            len(one.name), 0, 0, 0, 0, 0, offset,
        ) + one.name  # fmt: skip
    count = len(entries) & 0xFFFF
    end = END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def crowd(count: int, said: int) -> bytes:
    """Return a zip of very many empty entries, and its own word on how many."""
    one = zipped([Entry(b"a", b"", 0, 0, 0)])
    end = END.pack(b"PK\x05\x06", 0, 0, said, said, 47 * count, 31, 0)
    return one[:31] + one[31:78] * count + end


TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    b'<Default Extension="xml" ContentType="application/xml"/></Types>'
)
OFFICE = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'


def workbook(*given: Entry) -> bytes:
    """Return an XLSX of one sheet around its parts, usually the sheet and its strings."""
    book = b'<workbook xmlns="%s" xmlns:r="%s"><sheets>' % (MAIN, OFFICE)
    book += b'<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
    top = (
        RELATIONS
        + b'<Relationship Id="rId1" Type="%s/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    )
    parts = (
        RELATIONS + b'<Relationship Id="rId1" Type="%s/worksheet" Target="worksheets/sheet1.xml"/>'
        b'<Relationship Id="rId2" Type="%s/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    )
    return zipped(
        [
            entry("[Content_Types].xml", TYPES),
            entry("_rels/.rels", top % OFFICE),
            entry("xl/workbook.xml", book),
            entry("xl/_rels/workbook.xml.rels", parts % (OFFICE, OFFICE)),
            *given,
        ]
    )


def sheet_of(rows: bytes) -> bytes:
    """Return the XML of a sheet."""
    return b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (MAIN, rows)


def strings_of(*texts: bytes) -> bytes:
    """Return the XML of the shared strings."""
    return b'<sst xmlns="%s">%s</sst>' % (MAIN, b"".join(b"<si><t>%s</t></si>" % text for text in texts))


SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)
TABLE = b"name,count\n" + b"".join(b"row%d,%d\n" % (n, n) for n in range(50))


def bombs() -> dict[str, bytes]:
    """Return the corpus of IMP-1 by name."""
    row = b'<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>'
    overlapping = zipped([entry("a.csv", TABLE)])
    first = entry("a.csv", TABLE)
    return {
        "flat": zipped([burst("a.csv", bytes(1 << 20), 1024)]),
        "nested": zipped([entry("a.zip", zipped([entry("b.zip", zipped([entry("c.csv", TABLE)]))]))]),
        "overlapping": zipped([first, Entry(b"b.csv", first.packed, first.size, first.crc, offset=0)]),
        "declares-less": zipped([entry("a.csv", TABLE, size=30)]),
        "declares-less-with-its-sum": zipped([entry("a.csv", TABLE, size=30, crc=zlib.crc32(TABLE[:30]))]),
        "declares-more": zipped([entry("a.csv", TABLE, size=10**6)]),
        "wrong-sum": zipped([entry("a.csv", TABLE, crc=1)]),
        "100k-entries": crowd(100_000, said=100_000 & 0xFFFF),
        "400k-entries-said-to-be-one": crowd(400_000, said=1),
        "encrypted": zipped([entry("a.csv", TABLE, flags=1)]),
        "cut": overlapping[:-60] + overlapping[-22:],
        "many-small": workbook(burst("xl/1.png", bytes(1 << 20), 9), *[burst("x", bytes(1 << 20), 9)] * 99),
        "huge-sheet": workbook(burst(SHEET, b" " * (1 << 20), 512), entry(STRINGS, strings_of())),
        "laughs": workbook(entry(SHEET, sheet_of(row)), entry(STRINGS, LAUGHS + strings_of(b"&j;"))),
        "shared-strings": workbook(
            entry(SHEET, sheet_of(row * 100_000)), entry(STRINGS, strings_of(b"x" * 900_000))
        ),
    }
