"""Forms of the pages on which a collection is designed. The rules stand in the actions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from records.forms import choices as editing
from records.forms.words import CAN_BE_UNIQUE, ICONS, TYPES, WITH_CHOICES
from records.models import Collection, Field
from records.models.collection import NAME_LENGTH
from records.values import Choice, FieldSpec, FieldType

_CURRENCY = re.compile(r"[A-Z]{3}")
Named = Sequence[tuple[str, str]]


def _icons(kept: str = "") -> list[tuple[str, str]]:
    names = ICONS if not kept or kept in ICONS else (kept, *ICONS)
    return [(name, name.replace("-", " ").capitalize()) for name in names]


def _name(label: str, help_text: str = "", **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=NAME_LENGTH,
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )


class NewForm(forms.Form):
    """An empty design: name, icon and the field that names the records."""

    name = _name("Name", "What you keep in it, in the plural.", placeholder="Venues")
    icon = forms.ChoiceField(label="Icon", choices=_icons, initial=ICONS[0], widget=forms.RadioSelect)
    first = _name("First field", "A line of text that names each record. More follow on the next page.")


class CopyForm(forms.Form):
    """Another collection whose fields the new one begins with."""

    source = forms.ChoiceField(label="Collection", choices=())
    name = _name("Name of the new one")

    def __init__(self, *args: Any, sources: Named, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "source", [("", "Choose"), *sources])


class SettingsForm(forms.Form):
    """What a collection is called and drawn as."""

    name = _name("Name")
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=2_000,
        help_text="What it is for, for people who see it for the first time.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    icon = forms.ChoiceField(label="Icon", choices=_icons, widget=forms.RadioSelect)

    def __init__(self, *args: Any, kept_icon: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "icon", _icons(kept_icon))


class ShownForm(forms.Form):
    """Which field names the records, and in which order they stand."""

    title_key = forms.ChoiceField(
        label="Named by", required=False, help_text="This field stands first and leads to the record."
    )
    sort_key = forms.ChoiceField(label="Sorted by", required=False)
    descending = forms.ChoiceField(
        label="Direction",
        required=False,
        choices=[("", "A to Z, smallest or oldest first"), ("1", "Z to A, largest or newest first")],
    )

    def __init__(self, *args: Any, titles: Named, sorts: Named, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "title_key", [("", "None"), *titles])
        _choices(self, "sort_key", [("", "Newest first"), *sorts])

    def sort(self) -> str:
        """Return the order as the collection keeps it."""
        key = self.cleaned_data["sort_key"]
        return f"-{key}" if key and self.cleaned_data["descending"] else str(key)


class FieldForm(forms.Form):
    """A field of the design. Which parts count depends on the type."""

    name = _name("Name")
    type = forms.ChoiceField(
        label="Type",
        choices=[(words.value, words.label) for words in TYPES],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is kept in it."},
    )
    help = forms.CharField(
        label="Help", required=False, max_length=500, help_text="Shown below the field where it is filled in."
    )
    required = forms.BooleanField(
        label="Required", required=False, help_text="A record is not saved without it."
    )
    unique = forms.BooleanField(
        label="Unique",
        required=False,
        help_text="No two records have the same value, such as a number of a card.",
    )
    sensitive = forms.BooleanField(
        label="Sensitive",
        required=False,
        help_text="Hidden from everybody without the right to see sensitive fields.",
    )
    indexed = forms.BooleanField(
        label="Quick to filter and sort",
        required=False,
        help_text="Prepared in the background. For fields that lists of many thousands are filtered by.",
    )
    new_choices = forms.CharField(
        label="Choices",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "Planned\nConfirmed\nCancelled"}),
        help_text="One on each line, in the order in which they are offered.",
    )
    currency = forms.CharField(
        label="Currency", required=False, max_length=3, help_text="Its three letters, such as EUR or USD."
    )
    places = forms.IntegerField(
        label="Digits after the point",
        required=False,
        min_value=0,
        max_value=6,
        help_text="Empty: as the currency has.",
    )
    target = forms.ChoiceField(label="Links to", required=False, choices=())

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        targets: Named,
        field: Field | None = None,
        may_hide: bool = True,
        judged: bool = True,
    ) -> None:
        """Begin with `data`, or with the field; not `judged`, `data` is what somebody is still typing."""
        kept = _kept(field) if field else {"currency": "EUR"}
        typed = data.dict() if data is not None and not judged else kept
        super().__init__(data if judged else None, initial=typed)
        self.rows: list[Choice] = editing.read(data) if data is not None else _stored(field)
        self.was = field
        self.names = dict(targets)
        _choices(self, "target", [("", "Choose a collection"), *targets])
        if field and self.rows:
            self.fields["new_choices"].label = "More choices"
            self.fields["new_choices"].widget.attrs = {"rows": 2}
        if not may_hide:
            del self.fields["sensitive"]

    def rearrange(self, what: str) -> None:
        """Move or remove a choice ("up:2", "remove:0"), and put those that were typed into the list."""
        self.rows = editing.lengthened(
            editing.rearranged(self.rows, what), str(self.initial.get("new_choices", ""))
        )
        self.initial["new_choices"] = ""

    def clean_currency(self) -> str:
        """Return the currency in capitals."""
        return str(self.cleaned_data["currency"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        """Check what the chosen type needs, and take in the choices that were typed."""
        given = super().clean() or {}
        kind = given.get("type", "")
        self.rows = editing.lengthened(self.rows, given.get("new_choices", ""))
        if kind in WITH_CHOICES:
            self._check_choices()
        if kind == FieldType.MONEY and not _CURRENCY.fullmatch(given.get("currency", "")):
            self.add_error("currency", "Write the three letters of the currency, such as EUR.")
        if kind == FieldType.RECORD and not given.get("target"):
            self.add_error("target", "Choose the collection that the field links to.")
        return given

    def _check_choices(self) -> None:
        if not self.rows:
            self.add_error("new_choices", "Write at least one choice.")
        elif not all(row.label for row in self.rows):
            self.add_error("new_choices", "Give every choice a name, or remove it.")
        elif any(len(row.label) > NAME_LENGTH for row in self.rows):
            self.add_error("new_choices", f"Use at most {NAME_LENGTH} letters for a choice.")
        elif twice := editing.repeated(self.rows):
            self.add_error("new_choices", f"{twice} is there twice. Give one of them another name.")

    def spec(self, key: str) -> FieldSpec:
        """Return what was asked for. Options of other types, and those the form does not show, stay."""
        given = self.cleaned_data
        kind = FieldType(given["type"])
        was_sensitive = self.was is not None and self.was.sensitive
        return FieldSpec(
            key=key,
            name=" ".join(given["name"].split()),
            type=kind,
            required=given["required"],
            # The box of a type that cannot be unique is not shown.
            unique=given["unique"] and kind in CAN_BE_UNIQUE,
            choices=tuple(self.rows) if kind in WITH_CHOICES else (),
            help=given["help"].strip(),
            sensitive=given.get("sensitive", was_sensitive),
            options=self._options(kind),
        )

    def _options(self, kind: FieldType) -> dict[str, object]:
        given = self.cleaned_data
        kept: Mapping[str, object] = self.was.options if self.was else {}
        shown = ("currency", "places", "collection", "collection_name")
        options = {name: value for name, value in kept.items() if name not in shown}
        if kind is FieldType.MONEY:
            options["currency"] = given["currency"]
            if given["places"] is not None:
                options["places"] = given["places"]
        if kind is FieldType.RECORD:
            options["collection"] = given["target"]
            options["collection_name"] = self.names.get(given["target"], "")
        return options


def _choices(form: forms.Form, name: str, choices: Sequence[tuple[str, str]]) -> None:
    field: Any = form.fields[name]
    field.choices = choices


def _stored(field: Field | None) -> list[Choice]:
    return list(field.spec().choices) if field else []


def _kept(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "help": field.help,
        "required": field.required,
        "unique": field.unique,
        "sensitive": field.sensitive,
        "indexed": field.indexed,
        "currency": field.options.get("currency", "EUR"),
        "places": field.options.get("places"),
        "target": field.options.get("collection", ""),
    }


def targets_of(collections: Sequence[Collection]) -> list[tuple[str, str]]:
    """Return collections as a list to choose from."""
    return [(str(collection.pk), collection.name) for collection in collections]
