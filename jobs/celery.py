"""The base of our tasks: doorbells that are signed, tolerant of newer senders, and carry no data."""

import logging
from collections.abc import Callable
from typing import Any

from celery import Task, shared_task  # noqa: TID251  # here, and nowhere else
from celery.exceptions import Reject
from celery.worker.request import Request
from kombu.transport.virtual import QoS

from jobs.signing import HEADER, is_genuine, signed

logger = logging.getLogger(__name__)


class DoorbellRequest(Request):
    """A message being worked on, which frees its place even when the broker did not hear that it is done.

    Celery logs a failed acknowledgement and goes on counting the message as unanswered; with one message
    at a time the worker would then never ask for another. The broker delivers it again: harmless.
    """

    def acknowledge(self) -> None:
        """Acknowledge the message, or forget it if the broker is gone."""
        super().acknowledge()
        self._free_place()

    def reject(self, requeue: bool = False) -> None:
        """Reject the message, or forget it if the broker is gone."""
        super().reject(requeue=requeue)
        self._free_place()

    def _free_place(self) -> None:
        message = self.message
        places = getattr(message.channel, "qos", None)
        if not message.acknowledged and isinstance(places, QoS):
            QoS.ack(places, message.delivery_tag)


class DoorbellTask(Task):  # type: ignore[type-arg]  # celery-types makes it generic, Celery does not
    """A task that runs only for messages with our signature, and takes keyword arguments only.

    Nothing is set on the task object, which threads share: what a task needs, it enters by itself.
    """

    abstract = True
    Request = "jobs.celery:DoorbellRequest"

    def apply_async(  # type: ignore[override]  # the positional arguments of a doorbell are none
        self, args: Any = None, kwargs: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        """Send a signed message. Raises TypeError for positional arguments."""
        if args:
            raise TypeError(f"{self.name} takes keyword arguments only.")
        headers = {**(options.pop("headers", None) or {}), **signed(self.name, kwargs or {})}
        return super().apply_async(args=(), kwargs=kwargs, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body. A message without our signature is dropped, never tried again."""
        headers = getattr(self.request, "headers", None) or {}
        if args or not is_genuine(self.name, kwargs, headers.get(HEADER)):
            logger.error("message %s for %s is not ours and was dropped", self.request.id, self.name)
            raise Reject("not signed by this installation", requeue=False)
        return self.run(**kwargs)


def doorbell_task(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function of keyword arguments and `**_future: object` as a doorbell."""
    return shared_task(base=DoorbellTask, **options)
