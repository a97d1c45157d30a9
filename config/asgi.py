"""The ASGI application: pages by Django, web sockets by Channels."""

from __future__ import annotations

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

# Only now is Django set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from config.checks import refuse_bad_settings  # noqa: E402
from config.routing import every_pattern, with_connectors  # noqa: E402

refuse_bad_settings()
# WhiteNoise reads files the plain way; they are small and the thread that reads them is not the event loop's.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
# A page of another site must not open a socket with our cookies.
sockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(every_pattern)))
application = ProtocolTypeRouter({"http": with_connectors(pages), "websocket": with_connectors(sockets)})
