"""The programs of this provider: what runs on a server is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.shell_files import Scripts

FOLDER = Path(__file__).resolve().parent
_FILES = Scripts(FOLDER / "programs")
_program = _FILES.program

# Looking.
SERVER = _program("server")
ACCOUNTS = _program("accounts", "MARKER", "NAMES")

# The login of a grant.
CREATE_LOGIN = _program("create_login", "LOGIN", "MARKER")
OPEN_LOGIN = _program("open_login", "LOGIN", "MARKER", "LOGIN_SHELL", "EXPIRES")
SHUT_LOGIN = _program("shut_login", "LOGIN", "MARKER")
DROP_LOGIN = _program("drop_login", "LOGIN", "MARKER")
END_SESSIONS = _program("end_sessions", "LOGIN", "MARKER")
ADMIT_CERTIFICATE = _program("admit_certificate", "LOGIN", "MARKER", "SERIAL", "CERTIFICATE")
REVOKE_CERTIFICATES = _program("revoke_certificates", "LOGIN", "MARKER", "SERIALS")
GRANT_GROUP = _program("grant_group", "LOGIN", "MARKER", "GROUP")
REVOKE_GROUP = _program("revoke_group", "LOGIN", "MARKER", "GROUP")

# A person's own account.
GRANT_OWN_GROUP = _program("grant_own_group", "ACCOUNT", "GROUP", "MARKER")
REVOKE_OWN_GROUP = _program("revoke_own_group", "ACCOUNT", "GROUP", "MARKER")

ALL = (
    SERVER,
    ACCOUNTS,
    CREATE_LOGIN,
    OPEN_LOGIN,
    SHUT_LOGIN,
    DROP_LOGIN,
    END_SESSIONS,
    ADMIT_CERTIFICATE,
    REVOKE_CERTIFICATES,
    GRANT_GROUP,
    REVOKE_GROUP,
    GRANT_OWN_GROUP,
    REVOKE_OWN_GROUP,
)
