"""The programs of this provider: what runs on a server is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.sql_files import Programs

FOLDER = Path(__file__).resolve().parent
_FILES = Programs(FOLDER / "programs")
_program = _FILES.program

# Looking.
CLOCK = _program("clock")
CONNECTOR = _program("connector")
DATABASES = _program("databases")
PREPARED_ROLES = _program("prepared_roles")
ROLES = _program("roles", "names")
SCHEMAS = _program("schemas")
TABLES = _program("tables")
SCHEMA_CONTENT = _program("schema_content", "schema")
TABLE_CONTENT = _program("table_content", "schema", "table")
LOGINS = _program("logins", "marker", "names")
MEMBERSHIPS = _program("memberships", "logins")
SESSIONS = _program("sessions", "logins")
PLACES = _program("places", "logins")
DATABASE_PRIVILEGES = _program("database_privileges", "logins")
OBJECT_PRIVILEGES = _program("object_privileges", "logins")
PROBES = _program("probes", "marker")

# The login of a grant.
CREATE_LOGIN = _program("create_login", "login", "verifier", "ends_at", "marker")
OPEN_LOGIN = _program("open_login", "login", "ends_at")
SET_PASSWORD = _program("set_password", "login", "verifier")
SHUT_LOGIN = _program("shut_login", "login")
END_SESSIONS = _program("end_sessions", "login")
END_SESSIONS_UNTIL_15 = _program("end_sessions_until_15", "login")
END_SESSIONS_AS_SUPERUSER = _program("end_sessions_as_superuser", "login")
HAND_OVER = _program("hand_over", "login", "keeper")
HAND_OVER_UNTIL_15 = _program("hand_over_until_15", "login", "keeper")
HAND_OVER_AS_SUPERUSER = _program("hand_over_as_superuser", "login", "keeper")
DROP_OWNED = _program("drop_owned", "login")
DROP_OWNED_UNTIL_15 = _program("drop_owned_until_15", "login")
DROP_OWNED_AS_SUPERUSER = _program("drop_owned_as_superuser", "login")
DROP_LOGIN = _program("drop_login", "login")

# Giving.
GRANT_ROLE = _program("grant_role", "role", "login")
GRANT_ROLE_UNTIL_15 = _program("grant_role_until_15", "role", "login")
GRANT_CONNECT = _program("grant_database_connect", "database", "login")
GRANT_SCHEMA_READ_ONLY = _program("grant_schema_read_only", "schema", "login")
GRANT_SCHEMA_READ_WRITE = _program("grant_schema_read_write", "schema", "login")
GRANT_TABLE_READ_ONLY = _program("grant_table_read_only", "schema", "table", "login")
GRANT_TABLE_READ_WRITE = _program("grant_table_read_write", "schema", "table", "login")
GRANT_SEQUENCE = _program("grant_sequence", "schema", "sequence", "login")

# Taking.
REVOKE_ROLE = _program("revoke_role", "role", "login")
REVOKE_DATABASE = _program("revoke_database", "database", "login")
REVOKE_SCHEMA = _program("revoke_schema", "schema", "login")
REVOKE_SCHEMA_CONTENT = _program("revoke_schema_content", "schema", "login")
REVOKE_TABLE = _program("revoke_table", "schema", "table", "login")
REVOKE_SEQUENCE = _program("revoke_sequence", "schema", "sequence", "login")

# Trying whether the server asks for passwords.
CREATE_PROBE = _program("create_probe", "login", "verifier", "ends_at", "marker")
DROP_PROBE = _program("drop_probe", "login")
