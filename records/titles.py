"""What a record is called."""

from django.utils import timezone

from records.models import Record
from records.values import SPOKEN, FieldSpec, display

UNTITLED = "Untitled"


def title_of(record: Record) -> str:
    """Return what people call a record: the value of its collection's title field. Reads the collection."""
    return title_in(record, {spec.key: spec for spec in record.collection.specs()})


def title_in(record: Record, specs: dict[str, FieldSpec]) -> str:
    """Return what people call a record of a design already at hand."""
    spec = specs.get(record.collection.title_key)
    if spec is None or spec.sensitive:
        return UNTITLED
    zone = timezone.get_current_timezone()
    return display(spec, record.values.get(spec.key), zone=zone, locale=SPOKEN) or UNTITLED
