"""The first migration of the example, as it is."""

from importlib import import_module

Migration = import_module("tests.rooms.gear.migrations.0001_initial").Migration
