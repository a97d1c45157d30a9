"""The programs of this provider: what runs on a server is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.redis_files import Commands

FOLDER = Path(__file__).resolve().parent
_FILES = Commands(FOLDER / "programs")
_program = _FILES.program

# Looking.
CLOCK = _program("clock")
SERVER_INFO = _program("server_info")
LOGINS = _program("logins")
LOGIN = _program("login", "login")
SESSIONS = _program("sessions")
REFUSALS = _program("refusals")

# The login of a grant.
CREATE_LOGIN = _program("create_login", "login", "marker")
CLEAR_RULES = _program("clear_rules", "login", "marker")
OPEN_LOGIN = _program("open_login", "login", "password_hash")
SHUT_LOGIN = _program("shut_login", "login", "marker")
END_SESSIONS = _program("end_sessions", "login")
DROP_LOGIN = _program("drop_login", "login")

# What it may do.
ADD_CONNECTION = _program("add_connection", "login")
ADD_SERVER_READ_ONLY = _program("add_server_read_only", "login")
ADD_SERVER_READ_WRITE = _program("add_server_read_write", "login")
ADD_SERVER_ADMIN = _program("add_server_admin", "login")
ADD_KEY_PATTERN_READ_ONLY = _program("add_key_pattern_read_only", "login", "pattern")
ADD_KEY_PATTERN_READ_WRITE = _program("add_key_pattern_read_write", "login", "pattern")
ADD_CHANNEL_PATTERN_SUBSCRIBE = _program("add_channel_pattern_subscribe", "login", "pattern")
ADD_CHANNEL_PATTERN_PUBLISH = _program("add_channel_pattern_publish", "login", "pattern")

# Making it last.
SAVE_ACL_FILE = _program("save_acl_file")
REWRITE_CONFIGURATION = _program("rewrite_configuration")
