"""The programs of this provider: what a broker is asked is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.http_files import Requests

FOLDER = Path(__file__).resolve().parent
_FILES = Requests(FOLDER / "programs")
_program = _FILES.program

# Looking.
WHOAMI = _program("whoami")
OVERVIEW = _program("overview")
VHOSTS = _program("vhosts", "page", "size")
EXCHANGES = _program("exchanges", "page", "size")
QUEUES = _program("queues", "page", "size")
VHOST = _program("vhost", "vhost")
EXCHANGE = _program("exchange", "vhost", "name")
QUEUE = _program("queue", "vhost", "name")
USERS = _program("users")
LOGIN = _program("login", "login")
PERMISSIONS = _program("permissions", "login")
CONNECTIONS = _program("connections", "login")

# The login of a grant.
CREATE_LOGIN = _program("create_login", "login", "password_hash", "tags")
DROP_LOGIN = _program("drop_login", "login")
GRANT_PERMISSIONS = _program("grant_permissions", "vhost", "login", "configure", "write", "read")
REVOKE_PERMISSIONS = _program("revoke_permissions", "vhost", "login")
END_CONNECTIONS = _program("end_connections", "login")
