"""Everything that can be wrong with the settings, as system checks with an id and a hint.

E001-E009 are raised while the settings are read or an embedded start begins (config/env.py, settings.py, keys.py,
start.py); a process cannot go on then. The rest are found here, by `manage.py check` and by every process that starts.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import DatabaseError

from config import env, keys, signing_in, single_sign_on

KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}:[0-9a-fA-F]{64}")
SECRET_LENGTH = 50
# Read by scripts and tests, not by the settings.
# Read by scripts, and by the connector in this server where secrets lie in a store that it reads itself.
_OTHERS = {
    "LATCHKEY_PYTHON",
    "LATCHKEY_SECRETS_FOLDER",
    "LATCHKEY_AZURE_VAULT_HOSTS",
    "LATCHKEY_AZURE_CA_FILE",
    "LATCHKEY_GOOGLE_SECRETS_ADDRESS",
}
_OTHERS_BEGIN = ("LATCHKEY_TEST_", "LATCHKEY_TARGET_SECRET_")


def _bad(number: str, problem: str, hint: str) -> checks.Error:
    return checks.Error(problem, hint=hint, id=f"latchkey.{number}")


def _waits_for_first_start() -> bool:
    """Whether this is an embedded Latchkey that never started: its first start makes the keys."""
    return settings.EMBEDDED and not (Path(settings.DATA) / keys.FILE).exists()


def secret_key() -> Iterable[checks.CheckMessage]:
    """The key that signs sessions."""
    if settings.SECRET_KEY.startswith("unset-"):
        if not _waits_for_first_start():
            yield _bad("E010", "LATCHKEY_SECRET_KEY is not set.", "Set it to 50 or more random characters.")
    elif len(settings.SECRET_KEY) < SECRET_LENGTH:
        yield _bad("E010", "LATCHKEY_SECRET_KEY is too short.", "Set it to 50 or more random characters.")


def _key_list(number: str, name: str, values: Sequence[str]) -> Iterable[checks.CheckMessage]:
    """Check a list of keys."""
    form = 'Set it to "id:64 hex digits", several separated by commas, newest first (openssl rand -hex 32).'
    if not values:
        if not _waits_for_first_start():
            yield _bad(number, f"{name} is not set.", form)
        return
    wrong = [str(place) for place, value in enumerate(values, 1) if not KEY.fullmatch(value)]
    if wrong:
        yield _bad(number, f"{name} has a malformed key (number {', '.join(wrong)}).", form)
    ids = [value.partition(":")[0] for value in values]
    if len(set(ids)) < len(ids):
        yield _bad("E013", f"{name} has two keys of one id.", "Give each key an id of its own; ids are never reused.")


def store_keys() -> Iterable[checks.CheckMessage]:
    """The keys of the built-in secret store."""
    return _key_list("E011", "LATCHKEY_STORE_KEYS", settings.STORE_KEYS)


def sealing_keys() -> Iterable[checks.CheckMessage]:
    """The keys that connectors seal grantees' credentials to."""
    return _key_list("E012", "LATCHKEY_SEALING_KEYS", settings.SEALING_KEYS)


def signing_keys() -> Iterable[checks.CheckMessage]:
    """The keys that sign dossiers. Without one none are made; nothing else depends on them."""
    if settings.SIGNING_KEYS:
        yield from _key_list("E041", "LATCHKEY_SIGNING_KEYS", settings.SIGNING_KEYS)
    elif not settings.EMBEDDED:
        yield checks.Warning(
            "LATCHKEY_SIGNING_KEYS is not set, so no dossiers are signed.",
            hint='Set it to "id:64 hex digits", several separated by commas, newest first (openssl rand -hex 32).',
            id="latchkey.W004",
        )


def database() -> Iterable[checks.CheckMessage]:
    """SQLite serves one process."""
    if not settings.EMBEDDED and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield _bad(
            "E014",
            "Several processes cannot share the SQLite database.",
            "Set LATCHKEY_DATABASE_URL to a PostgreSQL database, or leave LATCHKEY_EMBEDDED unset.",
        )


def broker() -> Iterable[checks.CheckMessage]:
    """Separate processes need Redis between them."""
    url = settings.REDIS_URL
    if not url and not settings.EMBEDDED:
        yield _bad(
            "E015", "Separate processes have no broker between them.", "Set LATCHKEY_REDIS_URL to redis://host:6379/0."
        )
    if url and urlsplit(url).scheme not in {"redis", "rediss"}:
        yield _bad("E016", "LATCHKEY_REDIS_URL is no Redis.", "It must begin with redis:// or, with TLS, rediss://.")
    elif url and not all(importlib.util.find_spec(name) for name in ("redis", "channels_redis")):
        yield _bad(
            "E017",
            "LATCHKEY_REDIS_URL is set but Redis' client is not installed.",
            "Install requirements/production.txt.",
        )


def public_url() -> Iterable[checks.CheckMessage]:
    """The address that people type and that links carry."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        yield _bad(
            "E018", "LATCHKEY_PUBLIC_URL is no address.", "Set it like https://latchkey.example.com, without a path."
        )
    elif parts.scheme != "https" and not settings.EMBEDDED:
        yield _bad(
            "E019",
            "LATCHKEY_PUBLIC_URL is not https: passwords would cross the network in the clear.",
            "Serve it over TLS and set that address; behind a proxy that ends TLS also set LATCHKEY_BEHIND_PROXY=true.",
        )


def allowed_hosts() -> Iterable[checks.CheckMessage]:
    """A wildcard lets anybody put their own host name into our links."""
    if "*" in settings.ALLOWED_HOSTS:
        yield _bad("E020", "LATCHKEY_ALLOWED_HOSTS allows every host.", "Name the hosts Latchkey is served as.")


def sign_in() -> Iterable[checks.CheckMessage]:
    """There is a way to sign in, and the provider is named whole and safely."""
    told = single_sign_on.problems(settings.OIDC_PROVIDERS, password_sign_in=settings.PASSWORD_SIGN_IN)
    for number, problem, hint in told:
        yield _bad(number, problem, hint)
    if settings.SESSION_IDLE_MINUTES > settings.SESSION_HOURS * 60:
        yield _bad(
            "E035",
            "LATCHKEY_SESSION_IDLE_MINUTES is longer than LATCHKEY_SESSION_HOURS.",
            "A session that lasts 12 hours can be idle for at most 720 minutes.",
        )
    if settings.BREACHED_PASSWORDS and (problem := signing_in.problem_of_list(settings.BREACHED_PASSWORDS)):
        hint = "Name a file of SHA-1 in hex, sorted, one a line."
        yield _bad("E036", f"LATCHKEY_BREACHED_PASSWORDS: {problem}", hint)


def data_folder() -> Iterable[checks.CheckMessage]:
    """The embedded database and its keys live there."""
    folder = Path(settings.DATA)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if settings.EMBEDDED and not (folder.is_dir() and os.access(folder, os.W_OK)):
        yield _bad("E005", f"The data folder {settings.DATA} cannot be written.", "Set LATCHKEY_DATA to another.")


def mail() -> Iterable[checks.CheckMessage]:
    """How letters leave."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    if not re.fullmatch(r"[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+", address):
        yield _bad(
            "E040", "LATCHKEY_EMAIL_FROM is no address.", "Set it like Latchkey <latchkey@example.com>, in plain ASCII."
        )
    if bool(settings.EMAIL_HOST_USER) != bool(settings.EMAIL_HOST_PASSWORD):
        yield _bad(
            "E041",
            "Of LATCHKEY_EMAIL_USER and LATCHKEY_EMAIL_PASSWORD only one is set.",
            "Set both, or neither for a server that takes mail from this machine as it is.",
        )
    if not settings.EMAIL_HOST:
        yield from _mail_without_host()
    elif settings.EMAIL_HOST_PASSWORD and settings.EMAIL_TLS == "none" and not _is_here(settings.EMAIL_HOST):
        yield checks.Warning(
            "The mail server’s password crosses the network in the clear.",
            hint="Set LATCHKEY_EMAIL_TLS to starttls or tls.",
            id="latchkey.W041",
        )


def _mail_without_host() -> Iterable[checks.CheckMessage]:
    unused = sorted(name for name in env.asked if name.startswith("LATCHKEY_EMAIL_") and env.is_set(name))
    unused = [name for name in unused if name not in {"LATCHKEY_EMAIL_HOST", "LATCHKEY_EMAIL_FROM"}]
    if unused or not settings.EMBEDDED:
        besides = f", and {', '.join(unused)} without effect" if unused else ""
        yield checks.Warning(
            f"Nobody gets mail: letters go into the folder {settings.EMAIL_FILE_PATH}{besides}.",
            hint="Set LATCHKEY_EMAIL_HOST to a mail server; try it with manage.py mail test.",
            id="latchkey.W040",
        )


def _is_here(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def connectors() -> Iterable[checks.CheckMessage]:
    """A lease must outlast the silence between two beats by far: it counts from the beat before it."""
    if not 1 <= settings.HEARTBEAT_SECONDS * 3 <= settings.LEASE_SECONDS:
        yield _bad(
            "E021",
            f"LATCHKEY_HEARTBEAT_SECONDS is {settings.HEARTBEAT_SECONDS}, LATCHKEY_LEASE_SECONDS is "
            f"{settings.LEASE_SECONDS}.",
            "Set the heartbeat to 1 or more, and the lease to at least three heartbeats.",
        )
    for folder in filter(None, settings.PROVIDERS.split(os.pathsep)):
        if not Path(folder).is_dir():
            yield _bad("E022", f"LATCHKEY_PROVIDERS names {folder}, which is no folder.", "Name folders of providers.")


def connector_rules() -> Iterable[checks.CheckMessage]:
    """A rule that is not understood must not be passed over: it may be the one that forbids.

    Asked once the apps are loaded, as in every server and command; before that there is nobody to ask.
    """
    if not apps.ready:
        return
    from integrations.actions import rules_problem  # noqa: PLC0415  # its models load after this module

    if problem := rules_problem():
        yield _bad("E023", problem, "Correct the file that LATCHKEY_CONNECTOR_RULES names.")


def outgoing_calls() -> Iterable[checks.CheckMessage]:
    """What the server may call beyond public addresses; a word that is not understood allows nothing and is told."""
    if settings.CALL_CA_FILE and not Path(settings.CALL_CA_FILE).is_file():
        yield _bad("E025", f"LATCHKEY_CALL_CA_FILE names {settings.CALL_CA_FILE}, which is no file.", "Correct it.")
    if not apps.ready:
        return
    from integrations.actions import calls_problem  # noqa: PLC0415  # its models load after this module

    if problem := calls_problem():
        hint = "Name networks (10.1.0.0/16), addresses or hosts, separated by commas."
        yield _bad("E024", f"LATCHKEY_CALL_PRIVATE_ADDRESSES: {problem}", hint)


def unknown_settings() -> Iterable[checks.CheckMessage]:
    """A setting that nobody reads is nearly always a slip of the pen."""
    known = env.asked | {f"{name}_FILE" for name in env.asked} | _OTHERS
    for name in sorted(os.environ):
        if name.startswith(env.PREFIX) and name not in known and not name.startswith(_OTHERS_BEGIN):
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else "Unset it."
            yield checks.Warning(f"Nobody reads {name}.", hint=hint, id="latchkey.W001")


EVERY: tuple[Callable[[], Iterable[checks.CheckMessage]], ...] = (
    secret_key,
    store_keys,
    sealing_keys,
    signing_keys,
    database,
    broker,
    public_url,
    allowed_hosts,
    sign_in,
    data_folder,
    mail,
    connectors,
    connector_rules,
    outgoing_calls,
    unknown_settings,
)


def settings_are_right(app_configs: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """Run every check of the settings."""
    return [message for check in EVERY for message in check()]


def timetable_runs(
    app_configs: Any = None, databases: Sequence[str] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Warn of jobs that are late. Runs where a database is to be checked: `manage.py check --database default`."""
    from config import watchdog  # noqa: PLC0415  # its model loads after this module

    if not databases:
        return []
    try:
        late = watchdog.late()
    except DatabaseError:
        return [checks.Warning("The database does not answer.", hint="Migrate it, or start it.", id="latchkey.W003")]
    hint = "Is beat running, and a worker? Until then nothing ends by the clock."
    return [checks.Warning(sentence, hint=hint, id="latchkey.W002") for sentence in late]


def register() -> None:
    """Make the checks known to Django."""
    checks.register(settings_are_right)
    checks.register(timetable_runs, checks.Tags.database)


def refuse_bad_settings() -> None:
    """End the process with one line per error when the settings are wrong; a server runs no system checks itself."""
    wrong = [message for message in settings_are_right() if message.is_serious()]
    if wrong:
        raise SystemExit("\n".join(f"{message.id}: {message.msg} {message.hint}" for message in wrong))
