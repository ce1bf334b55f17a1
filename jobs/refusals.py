"""What the rules about jobs refuse, and how a run is told to stop."""

from tenants.refusals import Refusal


class JobHasEnded(Refusal):
    """The job is over: there is nothing left to cancel."""

    code = "job-has-ended"
    message = "This has ended already."


class JobNotFailed(Refusal):
    """Only what failed or was cancelled can be tried again."""

    code = "job-not-failed"
    message = "Only what failed or was cancelled can be tried again."


class BadAddress(Refusal):
    """A mail was to go to something that is no address."""

    code = "bad-address"
    status = 422
    message = "This is not an e-mail address."


class Stopped(Exception):  # not an error: the run ends here
    """Base of what ends a run before its work is done. Handlers let it pass."""


class JobCancelled(Stopped):
    """Somebody asked to cancel the job."""


class LeaseLost(Stopped):
    """Another worker has the job. Whatever this one was about to commit is rolled back."""


class Interrupted(Stopped):
    """The job goes back into the queue: the worker stops, others wait, or the organisation is closed."""


class Postponed(Stopped):
    """The job goes back into the queue and is due `after` so many seconds: what it needs is busy."""

    def __init__(self, why: str, *, after: float) -> None:
        super().__init__(why)
        self.after = after


class TryLater(Exception):  # an expected failure, not a bug
    """The handler cannot go on for now, such as when a mail server does not answer.

    It counts as an attempt and is tried again after a while. `str()` may be shown to people.
    """
