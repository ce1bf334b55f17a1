"""Python as a release's last migration: what follows comes in a transaction of its own."""

from importlib import import_module

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("gear", "0003_cable")]
    operations = import_module("tests.fleet.later.python.0003_fill").Migration.operations
