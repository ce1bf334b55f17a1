"""Figures of the organisations that the console shows: counts and sizes, never a tenant's data."""

from django.db import connections

from accounts.identity.models import User
from tenants.context import Actor, enter, on_shard
from tenants.models import Organisation


def refresh() -> int:
    """Write size and number of active people of every organisation; return how many were looked at."""
    looked_at = 0
    for organisation in Organisation.objects.placed().exclude(domains=None).iterator():
        with enter(organisation, actor=Actor.system("Figures")):
            people = User.objects.filter(is_active=True).count()
        alias = str(organisation.shard_id)
        with on_shard(alias), connections[alias].cursor() as cursor:
            cursor.execute("SELECT enclave.schema_bytes(%s)", (organisation.schema_name,))
            (size,) = cursor.fetchone()
        Organisation.objects.filter(pk=organisation.pk).update(people_count=people, size_bytes=size)
        looked_at += 1
    return looked_at
