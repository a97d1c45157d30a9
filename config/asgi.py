"""The ASGI application: pages by Django, web sockets by Channels."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

# Only now is Django set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from config.checks import refuse_bad_settings  # noqa: E402
from config.routing import every_pattern  # noqa: E402

refuse_bad_settings()
application = ProtocolTypeRouter(
    {
        "http": pages,
        # A page of another site must not open a socket with our cookies.
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(every_pattern))),
    }
)
