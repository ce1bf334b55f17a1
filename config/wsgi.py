"""The WSGI application that the web server runs."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
application = get_wsgi_application()

if not settings.DEVELOPMENT:
    from config.startup import refuse_or_start  # needs the loaded apps

    refuse_or_start()
