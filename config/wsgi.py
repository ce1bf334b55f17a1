"""The WSGI application that the web server runs."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from config.bodies import whole
from config.preloading import preload

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
application = whole(get_wsgi_application())

if settings.DATABASE_LOGIN != "app":
    raise ImproperlyConfigured("ENCLAVE_LOGIN is owner; the web server never works as the owner, use app.")
if not settings.DEVELOPMENT:
    from config.startup import refuse_or_start  # needs the loaded apps

    refuse_or_start()
preload()
