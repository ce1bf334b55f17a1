"""The function that captures a whole statement on a bulk table, compiled for its columns."""

import hashlib
import json

from audit.quoting import literal, quoted
from audit.registry import Captured
from tenants.functions import MOST_LETTERS, Function


def bulk_function_name(table: Captured) -> str:
    """Return the name of the function of a bulk table; a long one is cut, and told apart by its digest."""
    name = f"audit_of_{table.table}"
    if len(name) <= MOST_LETTERS:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: MOST_LETTERS - 9]}_{digest}"


def bulk_function(table: Captured) -> Function:
    """Return the function that captures a whole statement on a bulk table.

    Salts are SHA-256 of a secret and the row's number. The secret is a variable of the running
    function and stored nowhere, so a salt that was erased cannot be had again, not even from the
    salts of its neighbours; and a row costs a tenth of what asking for random bytes costs.
    """
    name = bulk_function_name(table)
    return Function(
        name,
        _BULK.format(
            name=name,
            strict="true" if table.strict else "false",
            insert=_append(table, "added", _whole_rows(table, "n", "new_rows", "after")),
            delete=_append(table, "removed", _whole_rows(table, "o", "old_rows", "before")),
            update=_append(table, "changed", _changed_rows(table)),
        ),
    )


# work_mem: the rows of a chunk must not be spilled to disk on their way from one INSERT to the other.
_BULK = """CREATE OR REPLACE FUNCTION {name}@() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET work_mem = '64MB'
AS $body$
DECLARE
    context record;
    rows bigint;
    secret bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    refs text := left(replace(uuidv7()::text, '-', ''), 24);
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT count(*) INTO rows FROM new_rows;
    ELSE
        SELECT count(*) INTO rows FROM old_rows;
    END IF;
    IF rows = 0 THEN
        RETURN NULL;
    END IF;
    context := audit_context@({strict});
    context.head := context.head || ',"of":' || rows;
    IF TG_OP = 'INSERT' THEN
{insert}
    ELSIF TG_OP = 'DELETE' THEN
{delete}
    ELSE
{update}
    END IF;
    RETURN NULL;
END
$body$"""

_WITH_PRIVATE = """        WITH source AS MATERIALIZED (
            SELECT object_id, subject, body, value,
                (refs || lpad(to_hex(place), 8, '0'))::uuid AS ref,
                substr(sha256(secret || int8send(place)), 1, 16) AS salt
            FROM (
{rows}
            ) AS rows
        ), kept AS (
            INSERT INTO audit_private (ref, subject, salt, value)
            SELECT ref, subject, salt, value FROM source WHERE value IS NOT NULL
        )
        INSERT INTO audit_event
            (epoch, at_us, code, type_id, object_id, actor_id, payload, private_ref, private_commitment)
        SELECT context.epoch, context.now_us, {code}, {type_id}, object_id, context.actor,
            context.head || body || '}}', CASE WHEN value IS NOT NULL THEN ref END,
            sha256(salt || convert_to(value, 'UTF8'))
        FROM source;"""

_WITHOUT_PRIVATE = """        INSERT INTO audit_event
            (epoch, at_us, code, type_id, object_id, actor_id, payload)
        SELECT context.epoch, context.now_us, {code}, {type_id}, object_id, context.actor,
            context.head || body || '}}'
        FROM (
{rows}
        ) AS rows;"""


def _append(table: Captured, verb: str, rows: str) -> str:
    frame = _WITH_PRIVATE if table.personal else _WITHOUT_PRIVATE
    return frame.format(rows=rows, code=literal(table.code(verb)), type_id=table.type_id)


def _whole_rows(table: Captured, alias: str, source: str, side: str) -> str:
    """Return the query of added or removed rows: every column, split into open, masked and personal."""
    names = hidden_names("personal", table.personal) + hidden_names("masked", table.masked)
    open_part = _object([_present(table, column, alias) for column in _open(table)])
    body = f"{literal(f',{json.dumps(side)}:')} || {open_part} || {literal(names)}"
    private = _object([_present(table, column, alias) for column in table.personal])
    value = (
        f"{literal('{' + json.dumps(side) + ':')} || {private} || '}}'" if table.personal else "NULL::text"
    )
    columns = f"{_fixed(table, alias)}, {body} AS body, {value} AS value"
    return f"                SELECT {columns} FROM {source} AS {alias}"


def _changed_rows(table: Captured) -> str:
    """Return the query of changed rows, paired by their key; only what differs is named."""
    joins: list[str] = []
    names: list[str] = []
    befores: list[str] = []
    afters: list[str] = []
    for place, column in enumerate(table.personal):
        old, new = f"o.{quoted(column)}", f"n.{quoted(column)}"
        if column in table.documents:
            diff = f"d{place}"
            joins.append(_document_diff(diff, column))
            names.append(f"{diff}.names")
            befores.append(f"{literal(json.dumps(column) + ':')} || {diff}.older::text")
            afters.append(f"{literal(json.dumps(column) + ':')} || {diff}.newer::text")
        else:
            names.append(_if_differs(column, literal(json.dumps(column))))
            befores.append(_if_differs(column, _pair(column, old)))
            afters.append(_if_differs(column, _pair(column, new)))
    masked = [_if_differs(column, literal(json.dumps(column))) for column in table.masked]
    body = " || ".join(
        [
            "',\"before\":'",
            _object([_if_differs(c, _pair(c, f"o.{quoted(c)}")) for c in _open(table)]),
            "',\"after\":'",
            _object([_if_differs(c, _pair(c, f"n.{quoted(c)}")) for c in _open(table)]),
            *([_listed("personal", names)] if names else []),
            *([_listed("masked", masked)] if masked else []),
        ]
    )
    value = "NULL::text"
    if names:
        value = (
            f"CASE WHEN {_any(names)} THEN '{{\"before\":' || {_object(befores)} "
            f"|| ',\"after\":' || {_object(afters)} || '}}' END"
        )
    return (
        f"                SELECT {_fixed(table, 'n')}, {body} AS body, {value} AS value\n"
        f"                FROM new_rows AS n JOIN old_rows AS o USING ({quoted(table.key)})\n"
        + "\n".join(joins)
        + f"\n                WHERE {_differs(table)}"
    )


def _document_diff(alias: str, column: str) -> str:
    """Return the join that compares two JSON objects key by key."""
    old, new = f"o.{quoted(column)}", f"n.{quoted(column)}"
    return f"""                LEFT JOIN LATERAL (
                    SELECT older, newer, (
                        SELECT string_agg(to_json({literal(column + ".")} || key)::text, ',')
                        FROM jsonb_object_keys(older || newer) AS key
                    ) AS names
                    FROM (SELECT
                        coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each({old})
                            WHERE value IS DISTINCT FROM {new}->key), '{{}}') AS older,
                        coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each({new})
                            WHERE value IS DISTINCT FROM {old}->key), '{{}}') AS newer OFFSET 0
                    ) AS sides
                ) AS {alias} ON {old} IS DISTINCT FROM {new}"""


def _fixed(table: Captured, alias: str) -> str:
    subject = f"{alias}.{quoted(table.subject)}" if table.subject else "NULL::uuid"
    key = f"{alias}.{quoted(table.key)}"
    key = key if table.key in table.plain else f"audit_key@({key}::text)"
    return f"{key} AS object_id, {subject} AS subject, row_number() OVER () AS place"


def _open(table: Captured) -> list[str]:
    hidden = {table.key, *table.excluded, *table.masked, *table.personal}  # the key is a column of its own
    return [column for column in table.columns if column not in hidden]


def _differs(table: Captured) -> str:
    watched = [column for column in table.columns if column not in table.excluded]
    return " OR ".join(f"o.{quoted(column)} IS DISTINCT FROM n.{quoted(column)}" for column in watched)


def _if_differs(column: str, expression: str) -> str:
    return f"CASE WHEN o.{quoted(column)} IS DISTINCT FROM n.{quoted(column)} THEN {expression} END"


def _present(table: Captured, column: str, alias: str) -> str:
    """Return a column of a whole row as JSON; SQL's NULL, which `concat_ws` leaves out, for none."""
    value = f"{alias}.{quoted(column)}"
    name = literal(json.dumps(column) + ":")
    if column in table.plain:
        # As to_json would write it, for a fraction of its price.
        return f"""{literal(json.dumps(column) + ':"')} || {value} || '"'"""
    return f"{name} || {value}::text" if column in table.documents else f"{name} || to_json({value})::text"


def _pair(column: str, expression: str) -> str:
    return f"{literal(json.dumps(column) + ':')} || coalesce(to_json({expression})::text, 'null')"


def _object(pairs: list[str]) -> str:
    return f"'{{' || concat_ws(',', {', '.join(pairs)}) || '}}'" if pairs else "'{}'"


def _listed(name: str, items: list[str]) -> str:
    return f"coalesce(',\"{name}\":[' || nullif(concat_ws(',', {', '.join(items)}), '') || ']', '')"


def _any(items: list[str]) -> str:
    return f"coalesce({', '.join(items)}) IS NOT NULL"


def hidden_names(name: str, columns: tuple[str, ...]) -> str:
    """Return what a payload says of columns whose values stand elsewhere, or nowhere."""
    return f",{json.dumps(name)}:{json.dumps(list(columns), separators=(',', ':'))}" if columns else ""
