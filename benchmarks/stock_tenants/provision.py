"""Makes tenants with stock django-tenants and prints what each took."""

import json
import os
import time

import django


def main() -> None:
    """Migrate the public schema, make tenants, print milliseconds and tables as JSON."""
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from benchmarks.stock_tenants.stockclient.models import Client

    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    took = []
    for number in range(int(os.environ["STOCK_MADE"])):
        began = time.perf_counter()
        Client(name=f"Client {number}", schema_name=f"stock_{number}").save(verbosity=0)
        took.append((time.perf_counter() - began) * 1000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'stock_0'")
        (tables,) = cursor.fetchone()
    print(json.dumps({"ms": took, "tables": tables}))


if __name__ == "__main__":
    main()
