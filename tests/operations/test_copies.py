"""What is made from the template's text is what the template is, to the last comment in a function."""

import os

import psycopg

from tenants.models import Organisation
from tenants.names import TEMPLATE_SCHEMA


def test_a_copy_has_the_templates_digests(organisations: dict[str, Organisation]) -> None:
    """A copy that differs would have its functions made anew by the next migration, each time."""
    copy = next(one for one in organisations.values() if one.shard_id == "shard_1")
    digests = "SELECT name, digest FROM enclave.digests_of(%s, NULL)"
    with psycopg.connect(os.environ["OWNER_SHARD_1_DATABASE_URL"]) as connection:
        template: dict[str, str] = dict(connection.execute(digests, (TEMPLATE_SCHEMA,)).fetchall())
        copied: dict[str, str] = dict(connection.execute(digests, (str(copy.schema_name),)).fetchall())
    assert len(template) > 50
    # Other tests put tables of their own into the copies.
    differing = [name for name in template if template[name] != copied.get(name)]
    assert differing == []
