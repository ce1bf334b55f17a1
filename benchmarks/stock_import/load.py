"""The rival: rows of the file checked one by one, `bulk_create`, and an entry of django-auditlog for each.

Prints one JSON object with rows and seconds. bulk_create sends no signals, so the entries are made
with the library's own difference and written by bulk_create too: as fast as it can be had with it.
"""

import csv
import io
import json
import os
import time
import zipfile
from itertools import islice
from uuid import UUID

import django

ROWS = 33_677
CHUNK = 1_000
COLLECTION = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
TEXTS = ("carrier", "tailnum", "origin", "dest")


def main() -> None:
    """Load a tenth of the flights and print how long it took."""
    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from records.values import FieldSpec, FieldType, compile_validator

    call_command("migrate", run_syncdb=True, verbosity=0)
    with zipfile.ZipFile(os.environ["STOCK_FILE"]) as archive:
        text = io.TextIOWrapper(archive.open("flights.csv"), encoding="utf-8", newline="")
        rows = islice(csv.DictReader(text), ROWS)
        began = time.perf_counter()
        reader = list(islice(rows, 1))
        kinds = {**dict.fromkeys(TEXTS, FieldType.TEXT), "time_hour": FieldType.DATETIME}
        specs = [FieldSpec(name, name, kinds.get(name, FieldType.INTEGER)) for name in reader[0]]
        validator = compile_validator(specs)
        done = 0
        while reader:
            with transaction.atomic():
                done += _write(reader, validator)
            reader = list(islice(rows, CHUNK))
    print(json.dumps({"rows": done, "seconds": time.perf_counter() - began}))


def _write(rows: list[dict[str, str]], validator: object) -> int:
    from auditlog.diff import model_instance_diff
    from auditlog.models import LogEntry
    from django.contrib.contenttypes.models import ContentType

    from benchmarks.stock_import.stockrows.models import Row
    from records.values import Validator

    assert isinstance(validator, Validator)
    objects = []
    for row in rows:
        clean, errors = validator.validate({key: None if cell == "NA" else cell for key, cell in row.items()})
        if not errors:
            objects.append(Row(collection_id=COLLECTION, values=clean))
    made = Row.objects.bulk_create(objects)
    about = ContentType.objects.get_for_model(Row)
    entries = [
        LogEntry(
            content_type=about,
            object_pk=str(one.pk),
            object_id=one.pk,
            object_repr=str(one),
            action=LogEntry.Action.CREATE,
            changes=model_instance_diff(None, one),
        )
        for one in made
    ]
    LogEntry.objects.bulk_create(entries)
    return len(made)


if __name__ == "__main__":
    main()
