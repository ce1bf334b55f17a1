"""One import through the product's own actions, as a person would make it. Needs Django set up."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from permissions.holder import load
from records.imports import actions
from records.imports.targets import targets_for
from records.models import Import, MissingLink, Record
from records.values import dumps
from records.views.import_forms import Column, DesignForm
from tenants.context import Actor, enter

Wait = Callable[..., None]
ACTOR = Actor.system("benchmark")


class Way:
    """The way of one file into a new organisation."""

    def __init__(self) -> None:
        self.organisation = provision(
            Wish("bench", "Bench", "owner@bench.example", "Olga Bench", None, "shard_1")
        )
        self.row = Import()

    def read(self, path: Path, wait: Wait) -> float:
        """Send the file; return the seconds until it has a proposal."""
        began = time.perf_counter()
        with enter(self.organisation, actor=ACTOR):
            upload = TemporaryUploadedFile(path.name, "application/zip", path.stat().st_size, None)
            upload.write(path.read_bytes())
            upload.seek(0)
            self.row = actions.begin(
                upload=upload, name=path.name, collection=None, by=self._owner(), at=timezone.now()
            )
        wait(lambda: self._is("proposed"), seconds=120)
        return time.perf_counter() - began

    def check(self, wait: Wait) -> float:
        """Agree to what is proposed; return the seconds until the file is checked."""
        began = time.perf_counter()
        with enter(self.organisation, actor=ACTOR):
            form = self._form()
            actions.make_collection(
                row=self.row,
                name=form.cleaned_data["name"],
                choices=form.choices(),
                on_missing=MissingLink.LEAVE_EMPTY,
                zone="UTC",
                by=self._owner(),
                at=timezone.now(),
            )
        wait(lambda: self._is("checked"), seconds=300)
        return time.perf_counter() - began

    def load(self, wait: Wait) -> float:
        """Say yes; return the seconds until every row is there."""
        began = time.perf_counter()
        with enter(self.organisation, actor=ACTOR):
            actions.apply(row=self.row, by=self._owner(), at=timezone.now())
        wait(lambda: self._is("done"), seconds=300)
        return time.perf_counter() - began

    def look(self) -> None:
        """Raise AssertionError unless all rows are there, each with its event in the trail."""
        from audit.models import Event

        with enter(self.organisation, actor=ACTOR):
            rows = Record.objects.filter(import_id=self.row.pk).count()
            events = Event.objects.filter(code="records.record.added").count()
            assert rows == events == self.row.imported, (rows, events, self.row.imported)

    def documents(self) -> list[bytes]:
        """Return what was loaded, for the rivals."""
        with enter(self.organisation, actor=ACTOR):
            rows = Record.objects.filter(import_id=self.row.pk).values_list("values", flat=True)
            return [dumps(one) for one in rows.iterator(10_000)]

    def _owner(self) -> User:
        return User.objects.get(email="owner@bench.example")

    def _is(self, state: str) -> bool:
        with enter(self.organisation, actor=ACTOR):
            self.row.refresh_from_db()
            if self.row.job is not None and self.row.job.error:
                raise SystemExit(self.row.job.error)
        time.sleep(0.05)
        return self.row.state == state

    def _form(self) -> DesignForm:
        columns = [Column.of(kept) for kept in self.row.proposal["fields"]]
        targets = targets_for(load(self._owner(), at=timezone.now()))
        blank = DesignForm(columns, targets, name="Flights")
        said: dict[str, Any] = {"name": "Flights", "on_missing": "leave_empty"}
        for one in blank.columns:
            said |= {one.add_prefix(name): value for name, value in one.initial.items() if value is not False}
        form = DesignForm(columns, targets, said)
        assert form.is_valid()
        return form
