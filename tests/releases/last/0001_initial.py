"""As in the release before."""

from importlib import import_module

Migration = import_module("tests.releases.gear.migrations.0001_initial").Migration
