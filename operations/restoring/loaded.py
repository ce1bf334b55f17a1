"""What is done with a schema that was loaded beside the live one: today's migrations, and what is missing."""

from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connections

from operations.fleet.looking import differing, digests_of
from operations.restoring import places
from operations.restoring.problems import CannotRestore
from tenants.context import as_owner
from tenants.models import Organisation
from tenants.names import TEMPLATE_SCHEMA
from tenants.schema import migrate_schema, version_at, wanted_version

MOST_FILES_NAMED = 1000
_UNLIKE = """
SELECT coalesce(mine.name, wanted.name)
FROM enclave.digests_of(%s, NULL) AS mine FULL JOIN enclave.digests_of(%s, NULL) AS wanted USING (name)
WHERE mine.digest IS DISTINCT FROM wanted.digest ORDER BY 1
"""


def bring_to_today(organisation: Organisation, schema: str) -> bool:
    """Bring a schema to the migrations of today, and see that it became what the live one is.

    Return whether it was behind. Raises CannotRestore.
    """
    alias, live = str(organisation.shard_id), str(organisation.schema_name)
    with as_owner(alias, schema):
        was = version_at(alias, schema)
    if was != wanted_version():
        migrate_schema(alias, schema)
    with as_owner(alias, schema):
        if version_at(alias, schema) != wanted_version():
            raise CannotRestore("The organisation of then could not be brought to today's migrations.")
        if version_at(alias, live) != wanted_version():
            return was != wanted_version()  # the live one is behind: there is nothing to compare with
        with connections[alias].cursor() as cursor:
            cursor.execute(_UNLIKE, [schema, live])
            unlike = [name for (name,) in cursor.fetchall()]
    if unlike:
        raise CannotRestore(f"Differs from the live schema in: {', '.join(unlike)}.")
    return was != wanted_version()


def bring_to_template(alias: str, schema: str) -> bool:
    """Bring a schema to the migrations of today, and see that it became what the template is.

    Return whether it was behind. Raises CannotRestore.
    """
    with as_owner(alias, schema):
        was = version_at(alias, schema)
    migrate_schema(alias, schema)
    first = settings.SHARD_ALIASES[0]
    with as_owner(first, TEMPLATE_SCHEMA):
        template, version = digests_of(first, TEMPLATE_SCHEMA), version_at(first, TEMPLATE_SCHEMA)
    with as_owner(alias, schema):
        if version_at(alias, schema) != wanted_version():
            raise CannotRestore("It could not be brought to today's migrations.")
        found = digests_of(alias, schema)
    unlike = differing(template, found)
    if unlike and version == wanted_version():
        raise CannotRestore(f"Differs from the template in: {', '.join(unlike)}.")
    return was != wanted_version()


def missing_files(organisation: Organisation, schema: str) -> list[str]:
    """Return the files of records whose content is not there; the content lies outside the database."""
    folder = Path(settings.MEDIA_ROOT) / str(organisation.schema_name) / "files"
    query = f"SELECT path FROM {schema}.records_recordfile ORDER BY path".encode()
    with psycopg.connect(places.owner_address(str(organisation.shard_id)), autocommit=True) as connection:
        names = [str(name) for (name,) in connection.execute(query)]
    return [name for name in names if not (folder / name).exists()][:MOST_FILES_NAMED]
