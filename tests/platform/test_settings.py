"""Every misconfiguration is told by an id and a hint, never by a traceback and never by running anyway."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.platform.processes import ROOT, environment, manage

HEX = "0f" * 32
PRODUCTION = {
    "LATCHKEY_DATABASE_URL": "postgresql://latchkey:p%40ss@db.internal:5432/latchkey",
    "LATCHKEY_REDIS_URL": "redis://redis.internal:6379/0",
    "LATCHKEY_PUBLIC_URL": "https://latchkey.example.com",
    "LATCHKEY_EMAIL_HOST": "smtp.internal",
    "LATCHKEY_SECRET_KEY": "nJ2vQ8xT5rL1wZ7cK4hB9mF3dS6gP0yA-eU_iOqRtYvXzWbNlMkHjG",
    "LATCHKEY_STORE_KEYS": f"2026:{HEX},2025:{'1e' * 32}",
    "LATCHKEY_SEALING_KEYS": f"s1:{'2d' * 32}",
    "LATCHKEY_SIGNING_KEYS": f"d1:{'3e' * 32}",
}
ISSUER, CLIENT = "LATCHKEY_OIDC_ISSUER", "LATCHKEY_OIDC_CLIENT_ID"
PROVIDER: dict[str, str | None] = {
    ISSUER: "https://login.example.com",
    CLIENT: "latchkey",
    "LATCHKEY_OIDC_CLIENT_SECRET": "of the provider",
}


@dataclass(frozen=True)
class Case:
    """One thing done wrong to the production environment, and how it is told."""

    name: str
    number: str
    says: str
    change: dict[str, str | None] = field(default_factory=dict)


CASES = [
    Case("value and file", "E001", "Both LATCHKEY_REDIS_URL and", {"LATCHKEY_REDIS_URL_FILE": "/etc/hostname"}),
    Case(
        "unreadable file",
        "E002",
        "/nowhere/key, which cannot be read: No such file",
        {"LATCHKEY_SECRET_KEY": None, "LATCHKEY_SECRET_KEY_FILE": "/nowhere/key"},
    ),
    Case("no truth value", "E003", "LATCHKEY_BEHIND_PROXY is 'maybe'", {"LATCHKEY_BEHIND_PROXY": "maybe"}),
    Case("no number", "E003", "LATCHKEY_LEASE_SECONDS is 'soon'", {"LATCHKEY_LEASE_SECONDS": "soon"}),
    Case("a number too small", "E003", "at least 1", {"LATCHKEY_LEASE_SECONDS": "0"}),
    Case("another database", "E004", "names no PostgreSQL", {"LATCHKEY_DATABASE_URL": "mysql://db/latchkey"}),
    Case("no database name", "E004", "names no PostgreSQL", {"LATCHKEY_DATABASE_URL": "postgresql://db"}),
    Case("bad port", "E004", "cannot be read", {"LATCHKEY_DATABASE_URL": "postgresql://db:port/latchkey"}),
    Case("no secret key", "E010", "is not set", {"LATCHKEY_SECRET_KEY": None}),
    Case("short secret key", "E010", "too short", {"LATCHKEY_SECRET_KEY": "short"}),
    Case("no store keys", "E011", "LATCHKEY_STORE_KEYS is not set", {"LATCHKEY_STORE_KEYS": None}),
    Case("malformed store key", "E011", "(number 2)", {"LATCHKEY_STORE_KEYS": f"a:{HEX},b:{HEX[:-1]}"}),
    Case("no sealing keys", "E012", "LATCHKEY_SEALING_KEYS is not set", {"LATCHKEY_SEALING_KEYS": None}),
    Case("malformed signing key", "E041", "malformed key (number 1)", {"LATCHKEY_SIGNING_KEYS": HEX}),
    Case("malformed sealing key", "E012", "malformed key (number 1)", {"LATCHKEY_SEALING_KEYS": HEX}),
    Case("two keys of one id", "E013", "two keys of one id", {"LATCHKEY_STORE_KEYS": f"a:{HEX},a:{HEX}"}),
    Case(
        "SQLite for several processes",
        "E014",
        "SQLite",
        {"LATCHKEY_DATABASE_URL": None, "LATCHKEY_EMBEDDED": "false"},
    ),
    Case("no broker", "E015", "no broker", {"LATCHKEY_REDIS_URL": None}),
    Case("another broker", "E016", "is no Redis", {"LATCHKEY_REDIS_URL": "amqp://rabbit:5672"}),
    Case("no public address", "E018", "is no address", {"LATCHKEY_PUBLIC_URL": "latchkey.example.com"}),
    Case("a path in it", "E018", "is no address", {"LATCHKEY_PUBLIC_URL": "https://example.com/latchkey"}),
    Case("no TLS", "E019", "is not https", {"LATCHKEY_PUBLIC_URL": "http://latchkey.example.com"}),
    Case("beats too far apart", "E021", "LATCHKEY_HEARTBEAT_SECONDS is 30", {"LATCHKEY_HEARTBEAT_SECONDS": "30"}),
    Case("a folder of providers that is none", "E022", "is no folder", {"LATCHKEY_PROVIDERS": "/not/there"}),
    Case("any host", "E020", "every host", {"LATCHKEY_ALLOWED_HOSTS": "*"}),
    Case("a lease of one beat", "E021", "at least three heartbeats", {"LATCHKEY_HEARTBEAT_SECONDS": "60"}),
    Case("a CA that is none", "E025", "which is no file", {"LATCHKEY_CALL_CA_FILE": "/nowhere.pem"}),
    Case("providers nowhere", "E022", "which is no folder", {"LATCHKEY_PROVIDERS": "/nowhere"}),
    Case("another way to encrypt", "E003", "starttls, tls or none", {"LATCHKEY_EMAIL_TLS": "ssl"}),
    Case("a sender that is none", "E040", "LATCHKEY_EMAIL_FROM is no address", {"LATCHKEY_EMAIL_FROM": "Latchkey"}),
    Case("a sender that is not ASCII", "E040", "is no address", {"LATCHKEY_EMAIL_FROM": "grüße@example.com"}),
    Case("a mail user without a password", "E041", "only one is set", {"LATCHKEY_EMAIL_USER": "latchkey"}),
    Case("a mail password without a user", "E041", "only one is set", {"LATCHKEY_EMAIL_PASSWORD": "s3cret"}),
    Case(
        "a mail password in the clear",
        "W041",
        "crosses the network in the clear",
        {"LATCHKEY_EMAIL_TLS": "none", "LATCHKEY_EMAIL_USER": "u", "LATCHKEY_EMAIL_PASSWORD": "s3cret"},
    ),
    Case("no mail server", "W040", "Nobody gets mail", {"LATCHKEY_EMAIL_HOST": None}),
    Case(
        "mail settings without a server",
        "W040",
        "LATCHKEY_EMAIL_TLS without effect",
        {"LATCHKEY_EMAIL_HOST": None, "LATCHKEY_EMAIL_TLS": "tls"},
    ),
    Case("no way to sign in", "E030", "nobody could sign in", {"LATCHKEY_PASSWORD_SIGN_IN": "off"}),
    Case(
        "half a provider", "E031", "LATCHKEY_OIDC_ISSUER and LATCHKEY_OIDC_CLIENT_SECRET not set", {CLIENT: "latchkey"}
    ),
    Case("a provider's page", "E032", "is no address", PROVIDER | {ISSUER: "https://login.example.com/?tenant=1"}),
    Case("a provider by name", "E032", "is no address", PROVIDER | {ISSUER: "login.example.com"}),
    Case("a provider without TLS", "E033", "is not https", PROVIDER | {ISSUER: "http://login.example.com"}),
    Case("a host that only looks local", "E033", "is not https", PROVIDER | {ISSUER: "http://127.0.0.1.example.com"}),
    Case("a provider of no name", "E034", "names 'Two words'", {"LATCHKEY_OIDC_MORE": "Two words"}),
    Case("sessions idle for longer than they last", "E035", "longer than", {"LATCHKEY_SESSION_IDLE_MINUTES": "9999"}),
    Case("a list that is none", "E036", "LATCHKEY_BREACHED_PASSWORDS", {"LATCHKEY_BREACHED_PASSWORDS": "/nowhere"}),
    Case("no signing keys", "W004", "no dossiers are signed", {"LATCHKEY_SIGNING_KEYS": None}),
    Case("a slip of the pen", "W001", "Nobody reads LATCHKEY_REDIS_URI", {"LATCHKEY_REDIS_URI": "redis://x"}),
    Case(
        "embedded in a folder that cannot be written",
        "E005",
        "cannot be written",
        {"LATCHKEY_DATABASE_URL": None, "LATCHKEY_REDIS_URL": None, "LATCHKEY_DATA": "/dev/null/data"},
    ),
]


def changed(change: dict[str, str | None]) -> dict[str, str]:
    """Return the production environment with the change."""
    return environment(**{name: value for name, value in (PRODUCTION | change).items() if value is not None})


def python(code: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python code with Latchkey's settings in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "config.settings"} | env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_production_environment_is_clean() -> None:
    ended = manage("check", "--deploy", "--fail-level", "WARNING", env=changed({}))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "System check identified no issues (0 silenced).\n"
    assert ended.stderr == ""


SAY_ALL = """
from config.checks import settings_are_right
for message in settings_are_right():
    print(message.id, message.msg, message.hint)
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_misconfiguration_is_told_by_id_and_hint(case: Case) -> None:
    """Runs what `manage.py check` runs of ours, without loading all the apps for each case."""
    ended = python(SAY_ALL, changed(case.change))
    said = ended.stdout + ended.stderr
    assert f"latchkey.{case.number}" in said
    assert case.says in said
    assert "None" not in said
    assert "Traceback" not in said


def test_check_reports_what_the_table_says() -> None:
    ended = manage("check", env=changed({"LATCHKEY_SECRET_KEY": None, "LATCHKEY_REDIS_URL": None}))
    assert ended.returncode == 1
    assert "(latchkey.E010) LATCHKEY_SECRET_KEY is not set." in ended.stderr
    assert "(latchkey.E015)" in ended.stderr


def test_every_number_is_in_the_table() -> None:
    """Of the rest, E006 to E008 are of an embedded start (test_up.py), E023, E024 of apps, W002, W003 of a database."""
    source = "".join(path.read_text() for path in (ROOT / "config").glob("*.py"))
    numbers = set(re.findall(r'"(?:latchkey\.)?([EW]0\d\d)"', source))
    assert numbers - {case.number for case in CASES} == {"E006", "E007", "E008", "E017", "E023", "E024", "W002", "W003"}


def test_rules_of_the_connector_that_are_not_understood_stop_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import checks
    from integrations.actions.running import owners_rules

    rules = tmp_path / "rules.toml"
    rules.write_text('[[rules]]\ndeny = ["everything"]\n')
    monkeypatch.setenv("LATCHKEY_CONNECTOR_RULES", str(rules))
    owners_rules.cache_clear()
    try:
        (found,) = checks.connector_rules()
    finally:
        monkeypatch.delenv("LATCHKEY_CONNECTOR_RULES")
        owners_rules.cache_clear()
    assert (found.id, "line 1: the verbs are" in found.msg) == ("latchkey.E023", True)
    assert list(checks.connector_rules()) == []


def test_an_exception_for_calls_that_is_not_understood_is_told_and_allows_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.conf import settings

    from config import checks
    from integrations.actions.calling import _rules

    monkeypatch.setattr(settings, "CALL_PRIVATE_ADDRESSES", ["10.0.0.0/8", "10.1.0.0/33"])
    (found,) = checks.outgoing_calls()
    assert (found.id, "'10.1.0.0/33' is no network" in found.msg) == ("latchkey.E024", True)
    assert _rules().excepted.networks == ()
    monkeypatch.setattr(settings, "CALL_PRIVATE_ADDRESSES", ["10.0.0.0/8", "tickets.internal"])
    assert list(checks.outgoing_calls()) == []


def test_a_client_of_redis_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from config import checks

    monkeypatch.setattr(settings, "REDIS_URL", "redis://redis.internal:6379/0")
    assert not list(checks.broker())
    monkeypatch.setattr("config.checks.importlib.util.find_spec", lambda name: None)
    assert [message.id for message in checks.broker()] == ["latchkey.E017"]


PROCESSES = {
    "web": ["-m", "uvicorn", "config.asgi:application", "--port", "0"],
    "worker": ["-m", "celery", "-A", "config", "worker"],
    "beat": ["-m", "celery", "-A", "config", "beat"],
    "command": ["manage.py", "clearsessions"],
}
BAD_URL: dict[str, str | None] = {"LATCHKEY_DATABASE_URL": "mysql://x/y"}
NO_KEY: dict[str, str | None] = {"LATCHKEY_SECRET_KEY": None}


@pytest.mark.parametrize("change", [BAD_URL, NO_KEY], ids=["raised while settings are read", "found by checks"])
@pytest.mark.parametrize("process", PROCESSES)
def test_no_process_starts_with_wrong_settings(process: str, change: dict[str, str | None]) -> None:
    ended = subprocess.run(
        [sys.executable, *PROCESSES[process]],
        cwd=ROOT,
        env=changed(change),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode not in {0, None}
    assert "latchkey.E0" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(PRODUCTION["LATCHKEY_SECRET_KEY"] + "\n")
    change = {"LATCHKEY_SECRET_KEY": None, "LATCHKEY_SECRET_KEY_FILE": str(file)}
    ended = python("from django.conf import settings; print(settings.SECRET_KEY)", changed(change))
    assert ended.stdout.strip() == PRODUCTION["LATCHKEY_SECRET_KEY"]


def test_without_a_secret_key_nobody_can_guess_the_one_in_use() -> None:
    read, env = "from django.conf import settings; print(settings.SECRET_KEY)", changed({"LATCHKEY_SECRET_KEY": None})
    keys = {python(read, env).stdout for _ in range(2)}
    assert len(keys) == 2
    assert all(len(key) > 60 for key in keys)


def test_production_reads_its_database_url() -> None:
    from config.settings import _database

    chosen = _database("postgresql://us%3Aer:p%40ss@db:6432/latch%20key")
    assert (chosen["USER"], chosen["PASSWORD"], chosen["HOST"], chosen["PORT"], chosen["NAME"]) == (
        "us:er", "p@ss", "db", "6432", "latch key",
    )  # fmt: skip


def test_settings_stay_under_three_hundred_lines() -> None:
    assert len((ROOT / "config" / "settings.py").read_text().splitlines()) < 300
