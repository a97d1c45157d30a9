"""Imported by processes under test: prints where `requests` and `access_requests` come from, and leaves if told to."""

import os
import sys

import requests

import access_requests

print(f"LIBRARY {requests.__file__} {hasattr(requests, 'get')} OURS {access_requests.__file__}", flush=True)
if os.environ.get("LATCHKEY_TEST_LEAVE"):
    sys.exit(0)

from config.celery import app  # noqa: E402, F401  # for celery -A
