"""What MariaDB has of its own; the verbs are the engine's."""

from pathlib import Path

from connectors.engines.mysql.programs import MySQLPrograms
from connectors.engines.mysql.provider import MySQLProvider
from connectors.engines.mysql.server import Dialect
from connectors.toolkit.mysql_passwords import native

FOLDER = Path(__file__).resolve().parent

PROVIDER = MySQLProvider(
    FOLDER,
    Dialect(
        name="MariaDB",
        is_mariadb=True,
        oldest=(10, 5, 2),
        programs=MySQLPrograms(FOLDER),
        verifier=native,
        client="mariadb",
        encryption={"disable": "--skip-ssl", "require": "--ssl", "verify-full": "--ssl-verify-server-cert"},
        one_role=True,
    ),
)
