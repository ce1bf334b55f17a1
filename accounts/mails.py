"""Mails of the room: rendered from text templates, sent as jobs after the commit."""

from typing import Any

from django.template.loader import render_to_string

from jobs.mail import send_mail, send_now
from tenants.context import Plane, required


def send(*, to: str, template: str, context: dict[str, Any]) -> None:
    """Send `<template>_subject.txt` and `<template>_message.txt` to exactly one address.

    Raises jobs.refusals.BadAddress for anything else.
    """
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    text = render_to_string(f"{template}_message.txt", context).strip() + "\n"
    if required().plane is Plane.TENANT:
        send_mail(to=to, subject=subject, text=text)
        return
    # The console has no jobs of its own, and its requests are not inside a transaction.
    send_now(to=to, subject=subject, text=text)
