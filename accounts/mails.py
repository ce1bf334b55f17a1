"""Mails of the room: rendered from text templates, sent as jobs after the commit."""

from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from tenants.context import Plane, required


def send(*, to: str, template: str, context: dict[str, Any], at: datetime) -> None:
    """Send `<template>_subject.txt` and `<template>_message.txt` to one address.

    Raises ValueError for anything that is not exactly one address.
    """
    if not isinstance(to, str) or any(char in to for char in "\r\n,; ") or to.count("@") != 1:
        raise ValueError("A mail goes to one address.")
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    text = render_to_string(f"{template}_message.txt", context).strip() + "\n"
    if required().plane is Plane.TENANT:
        from jobs.mail import send_mail

        send_mail(to=to, subject=subject, text=text)
        return
    # The console has no jobs of its own; nothing there is inside a transaction while the mail leaves.
    from jobs.mail import send_now

    send_now(to=to, subject=subject, text=text)
