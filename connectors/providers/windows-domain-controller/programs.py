"""The programs of this provider: what runs on a domain controller is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.powershell_files import Scripts

FOLDER = Path(__file__).resolve().parent
_FILES = Scripts(FOLDER / "programs")
_program = _FILES.program

# Looking.
DOMAIN = _program("domain")
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
CREATE_RECORD = _program("create_record", "records", "name", "marker", "account", "facts")
CHANGE_RECORD = _program("change_record", "records", "name", "facts")
DROP_RECORD = _program("drop_record", "records", "name")

# Giving and taking.
GRANT_MEMBER = _program("grant_member", "group", "account")
GRANT_MEMBER_UNTIL = _program("grant_member_until", "group", "account", "seconds")
RENEW_MEMBER = _program("renew_member", "group", "account")
RENEW_MEMBER_UNTIL = _program("renew_member_until", "group", "account", "seconds")
REVOKE_MEMBER = _program("revoke_member", "group", "account")
