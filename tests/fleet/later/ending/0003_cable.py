"""A table, before the Python."""

from importlib import import_module

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("gear", "0002_colour")]
    operations = import_module("tests.fleet.later.python.0004_cable").Migration.operations
