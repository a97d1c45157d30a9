"""Settings of signing in that are no address: how long a session lasts, how often may be tried, which passwords."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from config import env

_LINE = re.compile(rb"[0-9A-Fa-f]{40}(:\d+)?\s*")

# A session ends this many hours after signing in, whatever is done in it, and after so many minutes without anything.
SESSION_HOURS = env.integer("LATCHKEY_SESSION_HOURS", 12)
SESSION_IDLE_MINUTES = env.integer("LATCHKEY_SESSION_IDLE_MINUTES", 60)
# Passwords that were found in breaches: SHA-1 in hex, one a line and sorted, what follows a colon does not count.
BREACHED_PASSWORDS = env.text("LATCHKEY_BREACHED_PASSWORDS")

VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.NotGuessable"},
    {"NAME": "accounts.passwords.NotBreached"},
]

# A whole office may come from one address, all at nine: of passwords only failures count. What is counted for an
# account ("key") is counted for addresses that nobody has as well: being locked out says nothing of who exists.
RATE_LIMITS = {
    "single_sign_on": "120/m/ip",
    "back_channel": "120/m/ip",
    "second_factor": "10/5m/user,50/d/user",
    "login_failed": "10/m/ip,100/h/ip,5/5m/key,30/d/key",
}


def problem_of_list(path: str) -> str:
    """Return what is wrong with a list of breached passwords, as far as its first lines tell; "" when nothing is."""
    try:
        with Path(path).open("rb") as file:
            lines = [line for line in (file.readline(200) for _ in range(100)) if line]
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}."
    if not lines or not all(_LINE.fullmatch(line) for line in lines):
        return f"{path} is no list of SHA-1 in hex."
    heads = [line[:40].upper() for line in lines]
    return "" if heads == sorted(heads) else f"{path} is not sorted."
