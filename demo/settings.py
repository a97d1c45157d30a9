"""The product's settings, and what a demo adds: an app, templates that come first, addresses around the product's."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from config import env
from config.env import BadSetting
from config.settings import *  # noqa: F403  # a demo is the product with something on top
from config.settings import ALLOWED_HOSTS, BEHIND_PROXY, EMBEDDED, INSTALLED_APPS, PUBLIC_URL, TEMPLATES
from demo.folder import is_loopback

HERE = Path(__file__).resolve().parent

# First: its command `up` stands before the product's, which it extends.
INSTALLED_APPS = ["demo", *INSTALLED_APPS]
TEMPLATES = [{**TEMPLATES[0], "DIRS": [HERE / "templates", *TEMPLATES[0]["DIRS"]]}]
ROOT_URLCONF = "demo.urls"
# Whatever else is set: a demo sends no mail to anybody, it keeps it in its folder.
EMAIL_BACKEND = "accounts.post.FolderBackend"
# How many requests the invented month has.
DEMO_REQUESTS = env.integer("LATCHKEY_DEMO_REQUESTS", 300)

_hosts = [*ALLOWED_HOSTS, urlsplit(PUBLIC_URL).hostname or ""]
if not EMBEDDED or BEHIND_PROXY or not all(map(is_loopback, _hosts)):
    raise BadSetting(
        "E094",
        "A demo signs anybody in who reaches it, so it is for this machine only.",
        "Unset LATCHKEY_PUBLIC_URL, LATCHKEY_ALLOWED_HOSTS, LATCHKEY_BEHIND_PROXY and LATCHKEY_EMBEDDED.",
    )
