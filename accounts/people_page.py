"""What this room adds to the list of people: inviting, and who was invited and has not come yet."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse

from permissions import perms
from permissions.people_extras import Button, add_button


def _buttons(request: HttpRequest) -> Iterable[Button]:
    yield Button(
        "Invitations", reverse("accounts:invitations"), perms.PEOPLE_MANAGE, icon="envelope", tone=""
    )
    yield Button("Invite people", reverse("accounts:invite"), perms.PEOPLE_MANAGE)


add_button(_buttons)
