"""What a move would do, in lines for whoever thinks about one. Nothing is changed."""

from collections.abc import Iterator

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from psycopg import sql

from operations.moves import checks, copying, links
from operations.moves.links import Link
from operations.moves.tables import tables_of
from tenants.models import Organisation, Shard

_ROWS = """
SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class
WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p')
"""


def plan(organisation: Organisation, target: Shard) -> Iterator[str]:
    """Yield what would be done. Raises CannotMove, as the move itself would."""
    schema, source_id = str(organisation.schema_name), str(organisation.shard_id)
    checks.places(organisation, target)
    checks.servers(schema, source_id, target.pk)
    yield f"{organisation.name} ({organisation.slug}) can move from {source_id} to {target.pk}."
    with links.owner(source_id) as source:
        tables = len(tables_of(source, schema))
        size = filesizeformat(_number(source, "SELECT enclave.schema_bytes(%s)", schema))
        rows = _number(source, _ROWS, schema)
        yield f"{tables} tables with about {rows:,} rows, {size}, are copied while its people work."
        if indexes := copying.indexes_of(source, schema):
            yield f"{len(indexes)} indexes for sorting and searching are made anew."
        if jobs := _running(source, schema):
            yield f"{jobs} jobs run at the moment; those that still do then go on there."
    yield "Every row is compared; then what is saved waits for less than a second."
    yield f"The old copy is kept, closed, for {settings.MOVE_KEPT_DAYS} days. Nothing has been changed."


def _running(source: Link, schema: str) -> int:
    jobs = links.name(schema, "jobs_job")
    row = source.execute(sql.SQL("SELECT count(*) FROM {} WHERE state = 'running'").format(jobs)).fetchone()
    return int(row[0]) if row else 0


def _number(source: Link, query: str, schema: str) -> int:
    row = source.execute(query.encode(), (schema,)).fetchone()
    return int(row[0]) if row else 0
