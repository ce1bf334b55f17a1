"""`manage.py operator EMAIL`: make an operator of the console."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.identity.models import User
from tenants.context import control_plane


class Command(BaseCommand):
    """Makes an operator. The second step is set up at the first sign-in."""

    help = "Make an operator, or give one a new password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass("Password: ")
        try:
            validate_password(password)
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        with control_plane():
            user = User.objects.filter(email__iexact=options["email"]).first()
            if user is None:
                user = User(email=options["email"], name=options["name"] or options["email"], is_staff=True)
            user.is_staff = user.is_superuser = user.is_active = True
            user.set_password(password)
            user.save()
        self.stdout.write(f"{user.email} can sign in to the console.")
