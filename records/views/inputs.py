"""Controls for designed fields: what a person types a value into, whatever its type.

They only collect: `records.values` reads and judges what was typed, so that every way in says the same.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from permissions.holder import members
from permissions.policies import policy_for
from records.models import Collection, Record
from records.rooms import RoomTable
from records.tables import BadQuery, Column, Filter, NotPrepared, Op, TableQuery, of_collection
from records.tables.labels import title_records
from records.values import Canonical, FieldSpec, FieldType, Locale, display
from records.views.cells import HIDDEN, heading
from records.views.places import Place

OFFERED = 50
MOST_PEOPLE = 1000
# Numbers are written for typing: no separators between thousands.
_TYPED = Locale(group_mark="")
Choices = list[tuple[str, str]]


class Options:
    """People and records to choose from; read when a control needs them, once for a form."""

    def __init__(self, request: HttpRequest, place: Place) -> None:
        self.place = place
        self.holder = place.table.holder
        self._people: Choices | None = None

    def people(self) -> Choices:
        """Return everybody who belongs to the organisation."""
        if self._people is None:
            rows = members(at=self.holder.at).order_by("name", "email")[:MOST_PEOPLE]
            self._people = [(str(user.pk), user.name or user.email) for user in rows]
        return self._people

    def records(self, spec: FieldSpec, *, typed: str = "", chosen: str = "") -> Choices:
        """Return records of the linked collection that begin with or have what was typed, and the chosen."""
        found = self._found(spec, typed)
        if isinstance(self.place.table, RoomTable):
            return found
        if chosen and chosen not in {pk for pk, _ in found}:
            rows = policy_for(Record).visible_to(self.holder, self.holder.at).filter(pk=chosen)
            label = title_records(list(rows)).get(chosen, HIDDEN)
            found.insert(0, (chosen, label))
        return found

    def _found(self, spec: FieldSpec, typed: str) -> Choices:
        if isinstance(self.place.table, RoomTable):
            return self._of_room(self.place.table, spec, typed)
        seen = policy_for(Collection).visible_to(self.holder, self.holder.at)
        wanted = spec.option("collection", "")
        home = seen.filter(pk=wanted).prefetch_related("fields").first() if wanted else None
        if home is None:
            return []
        table = of_collection(home, self.holder, at=self.holder.at)
        for query in _ways(table.title_key, typed):
            try:
                rows = table.page(query).rows
            except (NotPrepared, BadQuery):
                continue
            if rows:
                return sorted(((row.id, row.title) for row in rows), key=lambda pair: pair[1].casefold())
        return []

    def _of_room(self, table: RoomTable, spec: FieldSpec, typed: str) -> Choices:
        related: Any = table.room.model._meta.get_field(spec.key).related_model
        rows = policy_for(related).visible_to(self.holder, self.holder.at).order_by("-pk")
        known = ((str(row.pk), str(row)) for row in rows[: OFFERED * 10])
        return [pair for pair in known if typed.casefold() in pair[1].casefold()][: OFFERED + 1]


def _ways(title_key: str, typed: str) -> list[TableQuery]:
    """Return what is tried in turn: the beginning of the name, which an index serves, then its words."""
    if not typed.strip():
        return [TableQuery(size=OFFERED)]
    ways = [TableQuery(filters=(Filter(title_key, Op.STARTS, (typed,)),), size=OFFERED)] if title_key else []
    return [*ways, TableQuery(search=typed, size=OFFERED)]


class LinkSelect(forms.Select):
    """A list of records with a search above it; the search asks the server for others."""

    def __init__(self, *, search_url: str, choices: Choices) -> None:
        super().__init__(choices=choices)
        self.search_url = search_url

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """Return the list with the search above it."""
        context = {
            "select": super().render(name, value, attrs, renderer),
            "id": (attrs or {}).get("id", ""),
            "search_url": self.search_url,
        }
        return render_to_string("records/_link_input.html", context)


def control(
    spec: FieldSpec, options: Options, *, chosen: object = None, required: bool = False
) -> forms.Field:
    """Return the control for a field. `chosen` is the value it will begin with, for links."""
    return _MADE.get(spec.type, _text)(spec, options, chosen, required)


def _text(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
    kind = {FieldType.EMAIL: forms.EmailInput, FieldType.LINK: forms.URLInput}.get(spec.type, forms.TextInput)
    attrs: dict[str, str] = {"autocomplete": "off"}
    if spec.type.is_number:
        attrs["inputmode"] = "numeric" if spec.type is FieldType.INTEGER else "decimal"
    if spec.type is FieldType.LONG_TEXT:
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), strip=False)
    return forms.CharField(widget=kind(attrs=attrs), strip=False)


def _typed(kind: str, **more: str) -> Callable[..., forms.Field]:
    def made(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
        return forms.CharField(widget=forms.TextInput(attrs={"type": kind, **more}))

    return made


def _yes_no(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
    return _select([("yes", "Yes"), ("no", "No")], required and chosen not in (None, ""))


def _choice(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
    return _select([(choice.code, choice.label) for choice in spec.choices], required and bool(chosen))


def _choices(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
    known = [(choice.code, choice.label) for choice in spec.choices]
    return forms.MultipleChoiceField(choices=known, widget=forms.CheckboxSelectMultiple)


def _person(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
    return _select(options.people(), required and bool(chosen))


def _record(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
    found = options.records(spec, chosen=str(chosen or ""))
    url = options.place.url("find", spec.key)
    if len(found) < OFFERED:
        return _select(found, required and bool(chosen))
    blank = _blank(required and bool(chosen))
    return forms.CharField(widget=LinkSelect(search_url=url, choices=[*blank, *found]))


def _file(spec: FieldSpec, options: Options, chosen: object, required: bool) -> forms.Field:
    return forms.FileField(widget=forms.FileInput())


def _select(known: Choices, has_to: bool) -> forms.Field:
    return forms.CharField(widget=forms.Select(choices=[*_blank(has_to), *known]))


def _blank(has_to: bool) -> Choices:
    """Return the choice of nothing; where there has to be a value and is one, there is none."""
    return [] if has_to else [("", "–")]


_MADE: Mapping[FieldType, Callable[..., forms.Field]] = {
    FieldType.YES_NO: _yes_no,
    FieldType.DATE: _typed("date"),
    FieldType.TIME: _typed("time", step="1"),
    FieldType.DATETIME: _typed("datetime-local", step="1"),
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
    FieldType.PERSON: _person,
    FieldType.RECORD: _record,
    FieldType.FILE: _file,
}


def typed_value(spec: FieldSpec, value: Canonical | None) -> Any:
    """Return a kept value as its control takes it."""
    if value is None:
        return [] if spec.type is FieldType.CHOICES else ""
    if spec.type is FieldType.YES_NO:
        return "yes" if value else "no"
    if spec.type.is_number:
        return display(spec, value, locale=_TYPED).split(" ")[0]
    if spec.type is FieldType.DATETIME:
        local = datetime.fromisoformat(str(value)).astimezone(timezone.get_current_timezone())
        # As browsers send it back: the seconds only where there are some.
        return local.strftime("%Y-%m-%dT%H:%M:%S" if local.second else "%Y-%m-%dT%H:%M")
    return value


def posted(spec: FieldSpec, data: QueryDict, name: str) -> Any:
    """Return what was sent for a field, as `records.values` takes it."""
    return data.getlist(name) if spec.type is FieldType.CHOICES else data.get(name, "")


class ValuesForm(forms.Form):
    """Controls for some fields of a table, by key. `is_valid` is never asked: actions judge."""

    def __init__(
        self,
        columns: list[Column],
        options: Options,
        *,
        values: Mapping[str, Canonical] | None = None,
        sent: QueryDict | None = None,
        errors: Mapping[str, str] | None = None,
        ids: str = "",
    ) -> None:
        kept = values or {}
        initial = {column.key: typed_value(column.spec, kept.get(column.key)) for column in columns}
        super().__init__(sent, initial=initial, auto_id=f"id{ids}_%s")
        for column in columns:
            chosen = sent.get(column.key) if sent is not None else kept.get(column.key)
            field = control(column.spec, options, chosen=chosen, required=column.spec.required)
            field.label, field.help_text = heading(column), column.spec.help
            field.required = False  # said by the action, in its words
            self.fields[column.key] = field
        if sent is not None:
            self._errors = forms.utils.ErrorDict()
            self.cleaned_data = {}
            for key, message in (errors or {}).items():
                self.add_error(key if key in self.fields else None, message)
