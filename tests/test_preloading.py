"""A process is ready before its first request, and is not searched for garbage from then on."""

import subprocess
import sys

import pytest

from tests import servers

_ASK = """
import gc, {module}
{act}
from django.conf import settings
from django.urls import get_resolver
print(gc.get_freeze_count())
print("url_patterns" in vars(get_resolver(settings.URLCONF_TENANT)))
"""


_WORKER = """
import django; django.setup()
from types import SimpleNamespace
config.celery.refuse_a_worker(SimpleNamespace(app=config.celery.app))
"""


@pytest.mark.parametrize(("module", "act"), [("config.wsgi", ""), ("config.celery", _WORKER)])
def test_a_process_freezes_what_it_has_loaded(module: str, act: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASK.format(module=module, act=act)],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    frozen, loaded = done.stdout.split()
    assert int(frozen) > 50_000
    assert loaded == "True"
