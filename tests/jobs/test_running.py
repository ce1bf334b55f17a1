"""A job from asking to ending, in one process."""

import pytest

from jobs.actions import enqueue
from jobs.models import Job
from jobs.testing import run_due
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.jobs import kinds

ACTOR = Actor.system("test")


def ask(organisation: Organisation, kind: str = "tests.items", **payload: object) -> Job:
    """Enqueue a job of the tests' kinds."""
    with enter(organisation, actor=ACTOR):
        job = enqueue(kind, payload=payload, label="A test", by=None)
        job.refresh_from_db()
    return job


def again(organisation: Organisation, job: Job) -> Job:
    """Return the job as it is now."""
    with enter(organisation, actor=ACTOR):
        return Job.objects.get(pk=job.pk)


class TestAJob:
    @pytest.mark.parametrize("name", ["pulse", "tide"])
    def test_runs_on_either_shard(self, name: str, request: pytest.FixtureRequest) -> None:
        organisation: Organisation = request.getfixturevalue(name)
        job = ask(organisation, items=5, each=2)
        assert run_due(organisation) == [job.pk]
        ended = again(organisation, job)
        assert (ended.state, ended.result, ended.done, ended.total) == ("succeeded", {"items": 5}, 5, 5)
        with enter(organisation, actor=ACTOR):
            assert kinds.effects() == [f"item {number}" for number in range(5)]
