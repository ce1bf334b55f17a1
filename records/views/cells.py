"""Values of records as cells: what a type looks like, and where a reference leads."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from config.ui.cells import EMPTY, align, cell
from records.tables import Column, Page, Row, to_python
from records.values import Canonical, FieldSpec, FieldType, display
from records.views.places import Place
from records.views.seen import collection_keys

_CLASS = {kind: align(kind.value) for kind in FieldType}
_SAID = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY})
HIDDEN = "Not shared with you"
# In the address of a value: it names its record, so its cell is the link there.
HANDLE = "handle"
# Longer names are cut in lists, with the whole on hover.
CUT = 40


class Cells:
    """Makes the cells of one table: `links` are the addresses of collections that values refer to."""

    def __init__(
        self, place: Place, labels: Mapping[str, str], *, links: Mapping[str, str], zone: tzinfo
    ) -> None:
        self.place = place
        self.labels = labels
        self.links = links
        self.zone = zone

    def html(
        self, spec: FieldSpec, value: Canonical | None, *, row: str = "", whole: bool = False
    ) -> SafeString:
        """Return the inside of a cell; what no longer fits its field is shown as it is kept.

        With `row`, the id of its record, a file leads to its content.
        """
        if value is None or value == "" or value == []:
            return EMPTY
        kind = spec.type
        if kind.is_reference:
            return self._reference(spec, str(value), row)
        if kind in _SAID or (kind is FieldType.CHOICE and not isinstance(value, list)):
            shown = display(spec, value, zone=self.zone)
            if spec.type is FieldType.MONEY and not whole:
                # The currency stands in the heading, once.
                shown = shown.removesuffix(f" {spec.option('currency', '')}")
            return cell("choice" if kind is FieldType.CHOICE else "text", shown)
        try:
            return cell(kind.value, self._native(spec, value))
        except (TypeError, ValueError, AttributeError):
            return conditional_escape(str(value))

    def whole(self, spec: FieldSpec, value: Canonical | None, *, row: str = "") -> SafeString:
        """Return a value as a page shows it: long text with its lines."""
        if spec.type is FieldType.LONG_TEXT and isinstance(value, str) and value:
            return format_html('<span class="lines">{}</span>', value)
        return self.html(spec, value, row=row, whole=True)

    def plain(self, spec: FieldSpec, value: Canonical) -> SafeString:
        """Return a value as words alone, to stand inside a link."""
        if spec.type in (FieldType.DATE, FieldType.DATETIME, FieldType.TIME):
            return self.html(spec, value)
        return conditional_escape(display(spec, value, zone=self.zone, labels=self.labels) or HIDDEN)

    def _native(self, spec: FieldSpec, value: Canonical) -> object:
        if spec.type is FieldType.CHOICES:
            known = {choice.code: choice.label for choice in spec.choices}
            return [known.get(code, code) for code in value] if isinstance(value, list) else [str(value)]
        return to_python(spec.type, value)

    def _reference(self, spec: FieldSpec, value: str, row: str) -> SafeString:
        label = self.labels.get(value, "")
        if not label:
            return format_html('<span class="muted">{}</span>', HIDDEN)
        if spec.type is FieldType.FILE and row and self.place.collection is not None:
            inside = cell("file", label)
            return format_html('<a href="{}">{}</a>', self.place.url("file", row, value), inside)
        url = ""
        if spec.type is FieldType.RECORD and (home := self.links.get(spec.option("collection", ""))):
            url = f"{home}r/{value}/"
        return cell(spec.type.value, value, label=label, url=url) if url else cell(spec.type.value, label)


def cells_of(request: HttpRequest, place: Place, labels: Mapping[str, str]) -> Cells:
    """Return the maker of cells for a page."""
    links = {pk: reverse("records:list", args=[key]) for pk, key in collection_keys(request).items()}
    return Cells(place, labels, links=links, zone=timezone.get_current_timezone())


def lines(
    cells: Cells, page: Page, columns: Sequence[Column], *, editable: frozenset[str], handle: Column | None
) -> list[SafeString]:
    """Return the cells of each row after its first, ready for the page.

    A page has a thousand cells, so they are put together here rather than by a template.
    """
    rest = [column for column in columns if handle is None or column.key != handle.key]
    typed = frozenset(column.key for column in cells.place.in_place())
    none: frozenset[str] = frozenset()
    found = ("".join(_line(cells, row, rest, typed if row.id in editable else none)) for row in page.rows)
    return [mark_safe(line) for line in found]  # noqa: S308  # each part is escaped by cell


def _line(cells: Cells, row: Row, columns: Sequence[Column], typed: frozenset[str]) -> list[str]:
    base = cells.place.url("record", row.id) if typed else ""
    found = []
    for column in columns:
        inside = cells.html(column.spec, row.values.get(column.key), row=row.id)
        classes = _CLASS[column.type]
        opening = f'<td class="{classes}"' if classes else "<td"
        if column.key in typed:
            # Keys of fields are checked by FieldSpec: letters, digits and underscores.
            opening += f' data-edit="{base}edit/{column.key}/"'
        found.append(f"{opening}>{inside}</td>")
    return found


def handle_html(cells: Cells, row: Row, handle: Column | None) -> SafeString:
    """Return the link that leads to a record: the value that names it, in words."""
    value = row.values.get(handle.key) if handle else None
    url = cells.place.url("record", row.id)
    if handle is None or value is None:
        return format_html('<a href="{}" data-panel><span class="muted">Untitled</span></a>', url)
    # A link inside the link to the record would be none.
    inside = cells.plain(handle.spec, value)
    if isinstance(value, str) and len(value) > CUT:
        return format_html('<a href="{}" title="{}" data-panel>{}</a>', url, value, inside)
    return format_html('<a href="{}" data-panel>{}</a>', url, inside)


def heading(column: Column) -> str:
    """Return the heading of a column; the currency of money stands there, once."""
    currency = column.spec.option("currency", "") if column.type is FieldType.MONEY else ""
    return f"{column.name}, {currency}" if currency else column.name
