"""Jobs, sweeps and beat while one server of two is down: the others' go on, and its own are made up for."""

import pytest

from jobs.models import JobState
from tenants.models import Organisation
from tests.faults.second import SecondServer
from tests.jobs.lasting import KINDS, ask, effects, ended
from tests.workers import beat, wait_for, worker

pytestmark = pytest.mark.nightly


class TestJobs:
    def test_of_the_others_go_on_and_its_own_are_made_up_for(
        self, second: SecondServer, near: Organisation, far: Organisation
    ) -> None:
        variables = {**second.variables, "DJANGO_SETTINGS_MODULE": "tests.browser.settings"}
        waiting = [ask(far, items=5) for _ in range(3)]
        second.stop()
        with worker(include=KINDS, environment=variables) as one, beat(environment=variables):
            for _ in range(4):
                job = ended(ask(near, items=5), near)
                assert job.state == JobState.SUCCEEDED
            wait_for(lambda: "wake rows of shard_2 were left" in one.said(), seconds=60)
            # One line for each try, and no stack of each.
            assert "Traceback" not in one.said().replace("None", "")
            second.start()
            done = [ended(job, far, seconds=60) for job in waiting]
            assert {job.state for job in done} == {JobState.SUCCEEDED}
            assert len(effects(far)) == 15
            second.stop()
            wait_for(lambda: one.said().count("does not answer, and is left alone") >= 2, seconds=60)
            assert ended(ask(near, items=5), near).state == JobState.SUCCEEDED
            second.start()
            assert ended(ask(far, items=5), far, seconds=60).state == JobState.SUCCEEDED
