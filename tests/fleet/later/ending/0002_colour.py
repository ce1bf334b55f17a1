"""The release before this one."""

from importlib import import_module

Migration = import_module("tests.fleet.later.column.0002_colour").Migration
