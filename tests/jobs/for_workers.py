"""Included by the workers of the tests: registers their kinds there."""

from tests.jobs.kinds import register

register()
