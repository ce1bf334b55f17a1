"""An operator's browser, for every page of the console."""

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts.identity.models import User
from tenants.context import control_plane
from tests.accounts.test_operators import enrol, with_password
from tests.conftest import PASSWORD
from tests.people import visitor


@pytest.fixture
def console(db: None) -> Client:
    """An operator's browser, past the second step."""
    cache.clear()
    with control_plane():
        User.objects.create_superuser("oz@enclave.example", "Oz", PASSWORD)
    client = visitor(settings.OPERATORS_HOST)
    with_password(client)
    enrol(client)
    return client
