"""Taking back what came: rows go as they came, in small transactions, and their trail says so.

What somebody has changed since, or has added something to, stays, so that no work of people here is lost. The
copy says what each row was when it came.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import CASCADE, Model

from accounts.identity.models import Session, User
from audit.checks import tenant_models
from operations.joining.carrying import Step, Tell, between, bounds, last_key, work_off
from operations.joining.link import Link, column, inside, opened
from operations.joining.shape import Place, Table, on_delete_of, parents, person_type, rows_of, tables
from operations.joining.staging import Both
from permissions.models.roles import OWNER_ID
from records.indexes import making
from records.models import IndexState
from tenants.context import as_owner
from tenants.joining import rule_of


@dataclass(frozen=True, slots=True)
class Key:
    """A key from one table to another."""

    table: str
    column: str
    model: type[Model]


def take_back(both: Both, place: Place, *, by: str, tell: Tell) -> dict[str, int]:
    """Remove what came; return how many rows of each table stay, because people have worked on them since."""
    with opened(both.here.alias) as connection:
        _close_doors(connection, both, place, by)
        indexes = indexes_of(connection, both, place)
        stay: Counter[str] = Counter()
        for table in reversed(tables()):
            if not table.rule.follows or "object_pk" in table.columns:
                work_off(connection, both, place, removing(table, both, place, ""), by=by, tell=tell)
        # Once more: what was held by something that followed something else is held no longer.
        for table in reversed(tables()):
            if _left(connection, table, both, place):
                work_off(connection, both, place, removing(table, both, place, "held "), by=by, tell=tell)
                stay[table.said] += _left(connection, table, both, place)
        _deactivate(connection, both, place, by)
        still = indexes_of(connection, both, place)
    drop_indexes(both, indexes - still)
    return {said: count for said, count in stay.items() if count}


def is_owned_without(both: Both, place: Place) -> bool:
    """Return whether somebody who was here before is an owner: those who came cannot stay one."""
    with opened(both.here.alias) as connection:
        owners = column(
            connection,
            f"SELECT count(*) FROM {both.here.schema}.permissions_membership AS m "
            f"JOIN {both.here.schema}.identity_user AS u ON u.id = m.user_id AND u.is_active "
            "WHERE m.role_id = %s AND m.starts_at <= now() AND m.ends_at IS NULL "
            f"AND u.id NOT IN ({_newcomers(both, place)})",
            [OWNER_ID],
        )
    return owners != [0]


def _newcomers(both: Both, place: Place) -> str:
    """Return the query of the people who came and were not here before."""
    return (
        f"SELECT came.id FROM {place.staged}.identity_user AS came WHERE NOT EXISTS (SELECT FROM "
        f"enclave.joined_key AS k WHERE k.staged = '{place.staged}' AND k.type_id = {person_type()} "
        "AND k.old = came.id::text AND k.was_here)"
    )


def _close_doors(connection: Link, both: Both, place: Place, by: str) -> None:
    """End the memberships and sessions of the people who came."""
    with inside(connection, both.here.schema, by=by):
        connection.execute(
            "UPDATE permissions_membership SET ends_at = greatest(starts_at, now()) "
            f"WHERE user_id IN ({_newcomers(both, place)}) AND (ends_at IS NULL OR ends_at > now())".encode()
        )
        connection.execute(
            f"DELETE FROM {Session._meta.db_table} WHERE user_id IN ({_newcomers(both, place)})".encode()
        )


def _deactivate(connection: Link, both: Both, place: Place, by: str) -> None:
    """Let nobody sign in who stays only because their work does."""
    with inside(connection, both.here.schema, by=by):
        connection.execute(
            f"UPDATE {User._meta.db_table} SET is_active = false "
            f"WHERE is_active AND id IN ({_newcomers(both, place)})".encode()
        )


def removing(table: Table, both: Both, place: Place, what: str, *, even_if_changed: bool = False) -> Step:
    """Return the step that removes what came of a table, and what follows it.

    What has been changed stays, unless it is to go all the same; what something else belongs to always does.
    """
    columns = ", ".join(f'"{column}"' for column in table.columns)
    of_live = _columns_of("t", table)
    live = f'{both.here.schema}."{table.name}"'
    conditions = []
    if not even_if_changed:
        conditions.append(f"ROW({of_live}) IS NOT DISTINCT FROM ROW({_columns_of('came', table)})")
    if table.rule.kept_while and not even_if_changed:
        conditions.append(f"NOT ({place.fill(table.rule.kept_while)})")
    conditions += [f"NOT EXISTS (SELECT FROM {_of(both, key)})" for key in _holding(table.model)]
    if table.model is User:
        conditions += [f"NOT ({named})" for named in _naming(both)]

    def do(connection: Link, after: str, most: int) -> tuple[str, int]:
        last = last_key(connection, table, place, after, most)
        if not last:
            return "", 0
        going = column(
            connection,
            f'SELECT t."{table.key}" FROM {live} AS t '
            f"JOIN (SELECT {columns} FROM ({rows_of(table, place)} AND {between(table, after)}) AS rows) "
            f'AS came ON came."{table.key}" = t."{table.key}" WHERE {" AND ".join(conditions) or "true"} '
            "FOR UPDATE OF t",
            [*bounds(after, last)],
        )
        if going:
            _remove_with(connection, table.model, going, both)
        return last, len(going)

    return Step(f"remove {what}{table.name}", do)


def _columns_of(row: str, table: Table) -> str:
    return ", ".join(f'{row}."{column}"' for column in table.columns)


def _of(both: Both, key: Key) -> str:
    return f'{both.here.schema}."{key.table}" AS x WHERE x."{key.column}" = t."{_pk(key.model)}"'


def _remove_with(connection: Link, model: type[Model], going: list[object], both: Both) -> None:
    """Remove rows by their keys, and before them what follows them."""
    for key, below in _following(model):
        table = f'{both.here.schema}."{key.table}"'
        for inner, _ in _following(below):
            connection.execute(
                f'DELETE FROM {both.here.schema}."{inner.table}" WHERE "{inner.column}" IN '
                f'(SELECT "{_pk(below)}" FROM {table} WHERE "{key.column}" = ANY (%s))'.encode(),
                [going],
            )
        connection.execute(f'DELETE FROM {table} WHERE "{key.column}" = ANY (%s)'.encode(), [going])
    live = f'{both.here.schema}."{model._meta.db_table}"'
    connection.execute(f'DELETE FROM {live} WHERE "{_pk(model)}" = ANY (%s)'.encode(), [going])


def _pk(model: type[Model]) -> str:
    return str(model._meta.pk.column)


def _keys_to(model: type[Model]) -> Iterator[tuple[Key, type[Model], bool]]:
    """Yield the keys that lead to a model, from which, and whether rows follow what they lead to."""
    for below in tenant_models():
        for field, parent in parents(below):
            if parent is model:
                follows = rule_of(below).follows and on_delete_of(field) is CASCADE
                yield Key(below._meta.db_table, str(field.column), model), below, follows


def _following(model: type[Model]) -> list[tuple[Key, type[Model]]]:
    return [(key, below) for key, below, follows in _keys_to(model) if follows]


def _holding(model: type[Model]) -> list[Key]:
    """Return the keys that keep a row where it is: something of another table belongs to it, or names it."""
    return [key for key, below, follows in _keys_to(model) if not follows and not _is_constant(below)]


def _naming(both: Both) -> Iterator[str]:
    """Yield the conditions that a person `t` is named by something which is no key: by what stays, then."""
    for model in tenant_models():
        rule, table = rule_of(model), f'{both.here.schema}."{model._meta.db_table}"'
        for name in rule.people:
            yield f'EXISTS (SELECT FROM {table} AS x WHERE x."{name}" = t.id)'
        if rule.naming:
            yield rule.naming


def _is_constant(model: type[Model]) -> bool:
    return model._meta.label in ("contenttypes.ContentType", "auth.Permission")


def _left(connection: Link, table: Table, both: Both, place: Place) -> int:
    """Return how many of the rows that came are still there."""
    query = (
        f'SELECT count(*) FROM {both.here.schema}."{table.name}" AS t '
        f'JOIN ({rows_of(table, place)}) AS came ON came."{table.key}" = t."{table.key}"'
    )
    return int(str(column(connection, query)[0]))


def indexes_of(connection: Link, both: Both, place: Place) -> set[str]:
    """Return the names of the indexes on fields of what came."""
    query = (
        f"SELECT state.name FROM {both.here.schema}.{IndexState._meta.db_table} AS state "
        f"JOIN {place.staged}.records_collection AS came ON came.id = state.collection_id"
    )
    return {str(name) for name in column(connection, query)}


def drop_indexes(both: Both, names: set[str]) -> None:
    """Drop indexes whose collections are gone."""
    with as_owner(both.here.alias, both.here.schema):
        for name in sorted(names):
            making.drop(name)
