"""What becomes of collections and records when their organisation is joined to another."""

from records.models import (
    Collection,
    CollectionGroupGrant,
    CollectionUserGrant,
    Field,
    Import,
    ImportedRow,
    ImportState,
    IndexState,
    Record,
    RecordFile,
    RecordGroupGrant,
    RecordUserGrant,
    SavedView,
    Tally,
    UndoStep,
    UniqueValue,
)
from records.values import FieldType
from tenants.joining import Rule, comes, stays

# People who became one are named by their id in the values of their fields.
_VALUES = f"""
CASE WHEN EXISTS (
    SELECT FROM $staged.records_field f
    WHERE f.collection_id = r.collection_id AND f.type = '{FieldType.PERSON}'
) THEN (
    SELECT coalesce(jsonb_object_agg(v.key, CASE WHEN f.id IS NULL THEN v.value
        ELSE to_jsonb(enclave.joined('$staged', $person, v.value #>> '{{}}')) END), '{{}}')
    FROM jsonb_each(r."values") AS v LEFT JOIN $staged.records_field f
        ON f.collection_id = r.collection_id AND f.key = v.key AND f.type = '{FieldType.PERSON}'
) ELSE r."values" END
"""
_ENDED = ", ".join(f"'{state}'" for state in (ImportState.DONE, ImportState.UNDONE))

comes(
    Collection,
    rule=Rule(
        names={"key": True, "name": False},
        people=("created_by", "deleted_by"),
        # It is out of sight where it goes from, so that nobody changes it meanwhile.
        put_when_picked={"deleted_at": "NULL", "deleted_by": "NULL"},
    ),
)
# What a record's values are called and mean, for as long as there is one.
comes(
    Field,
    rule=Rule(kept_while="EXISTS (SELECT FROM records_record AS k WHERE k.collection_id = t.collection_id)"),
)
_NAMING = f"""
EXISTS (
    SELECT FROM records_record AS k JOIN records_field AS f
        ON f.collection_id = k.collection_id AND f.type = '{FieldType.PERSON}'
    WHERE k."values" ->> f.key = t.id::text
)
"""
comes(Record, rule=Rule(people=("created_by", "updated_by"), naming=_NAMING, put={"values": _VALUES}))
_CHANGED_SINCE = """
EXISTS (
    SELECT FROM records_record AS k JOIN $staged.records_record AS s ON s.id = k.id
    WHERE k.id = t.record_id AND k.version <> s.version
)
"""
comes(RecordFile, rule=Rule(people=("created_by",), kept_while=_CHANGED_SINCE))
comes(
    CollectionUserGrant,
    CollectionGroupGrant,
    RecordUserGrant,
    RecordGroupGrant,
    rule=Rule(quietly=True, follows=True),
)
# What was uploaded stays where it was; that it was, and which records it brought, is kept.
comes(
    Import,
    rule=Rule(
        only=f"r.state IN ({_ENDED})",
        put={"job_id": "NULL", "path": "''"},
        people=("created_by",),
        follows=True,
    ),
)
comes(ImportedRow, rule=Rule(follows=True))
# A view's filters may name people.
comes(
    SavedView,
    rule=Rule(
        put={"filters": "enclave.joined_within('$staged', $person, r.filters)"},
        naming="EXISTS (SELECT FROM records_savedview AS k WHERE strpos(k.filters::text, t.id::text) > 0)",
        names={"name": False},
        named_where="r.collection_id IS NULL",
        follows=True,
    ),
)
stays(Tally, UniqueValue, because="Triggers write them for the records that come.", follows=True)
stays(UndoStep, because="What can be undone for an hour can be undone where it was done.", follows=True)
stays(IndexState, because="Indexes are made anew, by the same rules.", follows=True)
