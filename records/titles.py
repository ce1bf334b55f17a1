"""What a record is called."""

from records.models import Record
from records.values import FieldSpec, display

UNTITLED = "Untitled"


def title_of(record: Record) -> str:
    """Return what people call a record: the value of its collection's title field. Reads the collection."""
    return title_in(record, {spec.key: spec for spec in record.collection.specs()})


def title_in(record: Record, specs: dict[str, FieldSpec]) -> str:
    """Return what people call a record of a design already at hand."""
    spec = specs.get(record.collection.title_key)
    if spec is None or spec.sensitive:
        return UNTITLED
    return display(spec, record.values.get(spec.key)) or UNTITLED
