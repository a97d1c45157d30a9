"""The programs of this provider: what is asked of a directory is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.ldap_files import Operations

FOLDER = Path(__file__).resolve().parent
_FILES = Operations(FOLDER / "programs")
_program = _FILES.program

# Looking.
ROOT = _program("root")
FEATURES = _program("features", "configuration")
ACCOUNTS_BY_ADDRESS = _program("accounts_by_address", "base", "address")
ACCOUNTS_BY_NAME = _program("accounts_by_name", "base", "name")
ACCOUNT = _program("account", "account")
MEMBERSHIPS = _program("memberships", "base", "account", "primary")
GROUP = _program("group", "group")
GROUPS = _program("groups", "base")
RECORDS_CONTAINER = _program("records_container", "records")
RECORDS = _program("records", "records", "marker")
RECORDS_OF_ACCOUNT = _program("records_of_account", "records", "account")

# Our own records.
CREATE_RECORD = _program("create_record", "name", "records", "marker", "account", "facts")
CHANGE_RECORD = _program("change_record", "name", "records", "facts")
DROP_RECORD = _program("drop_record", "name", "records")

# Giving and taking.
GRANT_MEMBER = _program("grant_member", "group", "account")
GRANT_MEMBER_UNTIL = _program("grant_member_until", "group", "account", "seconds")
RENEW_MEMBER = _program("renew_member", "group", "account")
RENEW_MEMBER_UNTIL = _program("renew_member_until", "group", "account", "seconds")
REVOKE_MEMBER = _program("revoke_member", "group", "account")
