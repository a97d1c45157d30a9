"""What MySQL has of its own; the verbs are the engine's."""

from pathlib import Path

from connectors.engines.mysql.programs import MySQLPrograms
from connectors.engines.mysql.provider import MySQLProvider
from connectors.engines.mysql.server import Dialect
from connectors.toolkit.mysql_passwords import caching_sha2

FOLDER = Path(__file__).resolve().parent

PROVIDER = MySQLProvider(
    FOLDER,
    Dialect(
        name="MySQL",
        is_mariadb=False,
        oldest=(8, 0, 30),
        programs=MySQLPrograms(FOLDER),
        verifier=caching_sha2,
        client="mysql",
        encryption={
            # Without encryption the client has to fetch the key with which it hides the password.
            "disable": "--ssl-mode=DISABLED --get-server-public-key",
            "require": "--ssl-mode=REQUIRED",
            "verify-full": "--ssl-mode=VERIFY_IDENTITY",
        },
    ),
)
