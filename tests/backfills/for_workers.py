"""Included by the workers of the tests: registers their backfills there."""

from tests.backfills.kinds import register

register()
