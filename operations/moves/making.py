"""The schema on the target: empty, at the same version, with the trail's triggers silent."""

from psycopg import sql

from operations.models import Move
from operations.moves import links
from operations.moves.tables import MIGRATIONS, tables_of


def make(move: Move) -> None:
    """Make the schema anew; what an earlier attempt or an earlier move left there is dropped."""
    with links.owner(move.source_id) as source, links.owner(move.target_id) as target:
        with target.transaction():
            target.execute("SET LOCAL check_function_bodies = off")
            target.execute(
                "SELECT enclave.receive(%s, %s, %s)", (move.schema_name, move.epoch + 1, move.version)
            )
            _copy_migrations(move, source, target)
            tables = sql.SQL(", ").join(table.quoted for table in tables_of(target, move.schema_name))
            schema = links.name(move.schema_name)
            target.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO enclave_mover").format(schema))
            target.execute(
                sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO enclave_mover").format(tables)
            )


def _copy_migrations(move: Move, source: links.Link, target: links.Link) -> None:
    table = links.name(move.schema_name, MIGRATIONS)
    rows = source.execute(sql.SQL("SELECT id, app, name, applied FROM {} ORDER BY id").format(table))
    insert = sql.SQL(
        "INSERT INTO {} (id, app, name, applied) OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s)"
    )
    with target.cursor() as cursor:
        cursor.executemany(insert.format(table), rows.fetchall())


def withdraw(target: links.Link, schema: str) -> None:
    """Take the mover's rights on the copy away."""
    tables = sql.SQL(", ").join(table.quoted for table in tables_of(target, schema))
    target.execute(sql.SQL("REVOKE ALL ON {} FROM enclave_mover").format(tables))
    target.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM enclave_mover").format(links.name(schema)))
