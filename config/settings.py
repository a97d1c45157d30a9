"""All settings, read from the environment (`X` or `X_FILE`). Without any, Latchkey runs embedded on SQLite."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from config import env, keys, rest, signing_in, single_sign_on
from config.env import BadSetting

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(env.text("LATCHKEY_DATA", str(ROOT / "data")))

DEBUG = False
# One process on SQLite without a broker (script/up). Production names its database, and its keys.
EMBEDDED = env.boolean("LATCHKEY_EMBEDDED", default=not env.text("LATCHKEY_DATABASE_URL"))
_kept = keys.read(DATA) if EMBEDDED else {}
PUBLIC_URL = env.text("LATCHKEY_PUBLIC_URL", "http://127.0.0.1:8810").rstrip("/")
# Without a key nothing starts (config/checks.py); commands that need none get one that nobody can guess.
SECRET_KEY = env.text("LATCHKEY_SECRET_KEY", _kept.get("LATCHKEY_SECRET_KEY", "")) or f"unset-{secrets.token_hex(32)}"
# Comma-separated, newest first: "id:64 hex digits". The first encrypts, all decrypt: that is how a key is rotated.
STORE_KEYS = env.words("LATCHKEY_STORE_KEYS", _kept.get("LATCHKEY_STORE_KEYS", ""))
# X25519 private keys "id:64 hex digits", newest first; credentials made for grantees are sealed to the first.
SEALING_KEYS = env.words("LATCHKEY_SEALING_KEYS", _kept.get("LATCHKEY_SEALING_KEYS", ""))
# Ed25519 private keys "id:64 hex digits", newest first; the first signs dossiers.
SIGNING_KEYS = env.words("LATCHKEY_SIGNING_KEYS", _kept.get("LATCHKEY_SIGNING_KEYS", ""))
_hosts = {urlsplit(PUBLIC_URL).hostname or "127.0.0.1"} | ({"127.0.0.1", "localhost"} if EMBEDDED else set())
ALLOWED_HOSTS = env.words("LATCHKEY_ALLOWED_HOSTS", ",".join(sorted(_hosts)))
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    # django.contrib.admin, with our own site: overview, first steps.
    "config.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *rest.APPS,
    "channels",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "django_celery_beat",
    "audit",
    "accounts",
    "integrations",
    "flows",
    "access_requests",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    # Ends sessions that are over by the clock; tells it by a message.
    "accounts.sessions.SessionClock",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    # People from outside set up and prove a second factor before anything else.
    "accounts.gate.SecondFactorGate",
    "config.outage.Outage",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.system",
            ]
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """Return Django's settings for `postgresql://user:password@host:port/name` or, when empty, the embedded SQLite."""
    if not url:
        # IMMEDIATE: with DEFERRED, concurrent read-then-write fails with "database is locked". FULL: an audit product
        # does not lose its last commits at a power cut.
        pragmas = "journal_mode=WAL synchronous=FULL foreign_keys=ON temp_store=MEMORY journal_size_limit=67108864"
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "latchkey.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "".join(f"PRAGMA {pragma};" for pragma in pragmas.split()),
            },
        }
    form = "It must look like postgresql://user:password@host:5432/name, with special characters as %XX."
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        raise BadSetting("E004", "LATCHKEY_DATABASE_URL cannot be read.", form) from None
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise BadSetting("E004", "LATCHKEY_DATABASE_URL names no PostgreSQL database.", form)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or "") or env.text("LATCHKEY_DATABASE_PASSWORD"),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database(env.text("LATCHKEY_DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PeopleBackend"]
AUTH_PASSWORD_VALIDATORS = signing_in.VALIDATORS
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
# Sign-in by OIDC, with the providers named in the environment. Links of an admin work with or without either.
OIDC_PROVIDERS = single_sign_on.read()
PASSWORD_SIGN_IN = env.boolean("LATCHKEY_PASSWORD_SIGN_IN", default=True)
SOCIALACCOUNT_ADAPTER = "accounts.oidc.SocialAccountAdapter"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
REST_FRAMEWORK, SPECTACULAR_SETTINGS, API_PER_MINUTE = rest.FRAMEWORK, rest.OPENAPI, rest.PER_MINUTE
TOKEN_DAYS, SCIM_DISABLES_PER_MINUTE = rest.TOKEN_DAYS, rest.SCIM_DISABLES_PER_MINUTE
ACCOUNT_RATE_LIMITS = signing_in.RATE_LIMITS
BREACHED_PASSWORDS = signing_in.BREACHED_PASSWORDS
# Second factors: allauth's apps, recovery codes and WebAuthn, in pages of ours (accounts/factors.py).
MFA_ADAPTER = "accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Latchkey"

REDIS_URL = env.text("LATCHKEY_REDIS_URL")
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
# In memory: kombu sleeps a whole second between looks unless told otherwise. Redis: a broker that is away is noticed
# soon, and ringing is given up (config/doorbell.py); the sweeps find what was not rung for.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"socket_connect_timeout": 1, "socket_timeout": 10} if REDIS_URL else {"polling_interval": 0.02}
)
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None
# Threads everywhere: a forked pool in a process with threads (script/up) deadlocks, and tasks mostly wait for targets.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = env.integer("LATCHKEY_WORKER_THREADS", 16)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "config.scheduler:TimetableScheduler"
CELERY_TIMEZONE = "UTC"
# Channels waits five seconds at a time for a message, and so long does Redis' client wait for any answer, unless told
# otherwise: a line on which nothing is said would break every five seconds.
_CHANNELS_REDIS = {"address": REDIS_URL, "socket_connect_timeout": 1, "socket_timeout": 15}
CHANNEL_LAYERS: dict[str, Any] = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [_CHANNELS_REDIS]}}
    if REDIS_URL
    else {"BACKEND": "config.doorbell.EmbeddedChannelLayer"}
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
# A request may name a thousand resources, each a field of the form, and then some.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2500
# Counts failed sign-ins: all processes have to count together.
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
STATIC_URL = "static/"
# Embedded, files are served from where they are; production collects them (manage.py collectstatic).
STATIC_ROOT = None if EMBEDDED else DATA / "static"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = EMBEDDED

HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Held on the server as well, counted from the sign-in on (accounts.sessions).
SESSION_HOURS, SESSION_IDLE_MINUTES = signing_in.SESSION_HOURS, signing_in.SESSION_IDLE_MINUTES
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SECURE_SSL_REDIRECT = HTTPS
# Probes come over plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
BEHIND_PROXY = env.boolean("LATCHKEY_BEHIND_PROXY", False)
# Whose address counts for sign-in limits and the trail: the client's, not the proxy's.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Without a server, mail goes into a folder: one file per letter, for the embedded default and for trying out.
EMAIL_HOST = env.text("LATCHKEY_EMAIL_HOST")
EMAIL_TLS = env.one_of("LATCHKEY_EMAIL_TLS", "starttls", "tls", "none")
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_TLS == "starttls", EMAIL_TLS == "tls"
EMAIL_PORT = env.integer("LATCHKEY_EMAIL_PORT", {"starttls": 587, "tls": 465, "none": 25}[EMAIL_TLS])
EMAIL_HOST_USER = env.text("LATCHKEY_EMAIL_USER")
EMAIL_HOST_PASSWORD = env.text("LATCHKEY_EMAIL_PASSWORD")
EMAIL_TIMEOUT = env.integer("LATCHKEY_EMAIL_TIMEOUT", 10)
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "accounts.post.FolderBackend"
EMAIL_FILE_PATH = DATA / "mail"
_sender = "localhost" if EMBEDDED else urlsplit(PUBLIC_URL).hostname
DEFAULT_FROM_EMAIL = env.text("LATCHKEY_EMAIL_FROM", f"Latchkey <latchkey@{_sender}>")

# Resources with one of these tags are production ("env=production", comma-separated). Opening them to everyone without
# approval then takes a second admin's yes, unless FOUR_EYES is off.
PRODUCTION_TAGS = env.pairs("LATCHKEY_PRODUCTION_TAG")
FOUR_EYES = env.boolean("LATCHKEY_FOUR_EYES", default=True)

# How long a lease on an order lasts (seconds), and how long an order waits between tries at most.
LEASE_SECONDS = env.integer("LATCHKEY_LEASE_SECONDS", 60)
# How often an instance of a remote connector says that it is alive; after three beats of silence its link is given up.
HEARTBEAT_SECONDS = env.integer("LATCHKEY_HEARTBEAT_SECONDS", 10)
# Folders with providers of one's own, beside those that come with Latchkey; the same on server and connectors.
PROVIDERS = env.text("LATCHKEY_PROVIDERS")
# Leases that one integration may have at once: a target that hangs leaves the other slots to others.
LEASES_PER_INTEGRATION = env.integer("LATCHKEY_LEASES_PER_INTEGRATION", 4)
# Who may read /metrics brings this; without it there is no such page.
METRICS_TOKEN = env.text("LATCHKEY_METRICS_TOKEN")
RETRY_SECONDS_MAX = env.integer("LATCHKEY_RETRY_SECONDS_MAX", 3600)
# Looks for drift: how many people who hold nothing one run reads back, and how many looks are under way at once.
DRIFT_PEOPLE = env.integer("LATCHKEY_DRIFT_PEOPLE", 500)
DRIFT_AT_ONCE = env.integer("LATCHKEY_DRIFT_AT_ONCE", 10)
# Break-glass envelopes: how many days one lasts, and after how long a standstill each is taken for used.
ENVELOPE_DAYS = env.integer("LATCHKEY_ENVELOPE_DAYS", 90)
ENVELOPE_GAP_MINUTES = env.integer("LATCHKEY_ENVELOPE_GAP_MINUTES", 10)

# What the server itself may call (webhooks): of private addresses only these networks and hosts; https only, unless
# plain HTTP is allowed; and the file of a CA of one's own, instead of the public ones.
CALL_PRIVATE_ADDRESSES = env.words("LATCHKEY_CALL_PRIVATE_ADDRESSES")
CALL_PLAIN_HTTP = env.boolean("LATCHKEY_CALL_PLAIN_HTTP", default=False)
CALL_CA_FILE = env.text("LATCHKEY_CALL_CA_FILE")

# What the connector in this server may do, by whoever owns the machine: a file of rules.
CONNECTOR_RULES = env.text("LATCHKEY_CONNECTOR_RULES")
# The image that the commands to install a connector name; organisations mostly have a registry of their own.
CONNECTOR_IMAGE = env.text("LATCHKEY_CONNECTOR_IMAGE", "latchkey-connector:0.1.0")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    # A probe that hears "not ready" has heard it; every few seconds once more in the log helps nobody.
    "filters": {
        "no_probes": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(getattr(record, "request", None), "path", "") != "/readyz",
        }
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_probes"]},
        "nowhere": {"class": "logging.NullHandler"},
    },
    # Scanners ask for other hosts all day; they get their 400, and the log stays readable.
    "loggers": {"django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False}},
    "root": {"handlers": ["console"], "level": env.text("LATCHKEY_LOG_LEVEL", "WARNING")},
}
