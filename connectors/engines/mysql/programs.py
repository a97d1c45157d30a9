"""The programs that a provider on this engine has: their names, their slots, and the columns that are read."""

from pathlib import Path

from connectors.toolkit.sql_files import Programs


class MySQLPrograms:
    """The program files in a provider's folder."""

    def __init__(self, folder: Path) -> None:
        """Declare them."""
        program = Programs(folder / "programs").program

        # Looking. `logins` and `names` are lists.
        self.server = program("server")
        self.setup = program("setup")
        self.databases = program("databases")
        self.tables = program("tables", "database", "after")
        self.table = program("table", "database", "table")
        self.roles = program("roles")
        self.role_paths = program("role_paths", "names")
        self.logins = program("logins", "integration", "person", "names")
        self.accounts = program("accounts", "names")
        self.holdings = program("holdings", "logins")
        self.memberships = program("memberships", "logins")
        self.sessions = program("sessions", "logins")
        self.defined_by = program("defined_by", "login")

        # The login of a grant.
        self.create_login = program("create_login", "login", "verifier", "integration", "person", "grant_id", "ends_at")
        self.open_login = program("open_login", "login", "ends_at")
        self.set_password = program("set_password", "login", "verifier")
        self.set_default_role = program("set_default_role", "login", "role")
        self.shut_login = program("shut_login", "login")
        self.end_sessions = program("end_sessions", "login")
        self.revoke_everything = program("revoke_everything", "login")
        self.drop_login = program("drop_login", "login")

        # Giving and taking. In `database`, what means any character is escaped.
        self.grant_role = program("grant_role", "role", "login")
        self.revoke_role = program("revoke_role", "role", "login")
        self.give_database = {
            "read": program("grant_database_read", "database", "login"),
            "write": program("grant_database_write", "database", "login"),
            "admin": program("grant_database_admin", "database", "login"),
        }
        self.take_database = {
            "read": program("revoke_database_read", "database", "login"),
            "write": program("revoke_database_write", "database", "login"),
            "admin": program("revoke_database_admin", "database", "login"),
        }
        self.give_table = {
            "read": program("grant_table_read", "database", "table", "login"),
            "write": program("grant_table_write", "database", "table", "login"),
            "admin": program("grant_table_admin", "database", "table", "login"),
        }
        self.take_table = {
            "read": program("revoke_table_read", "database", "table", "login"),
            "write": program("revoke_table_write", "database", "table", "login"),
            "admin": program("revoke_table_admin", "database", "table", "login"),
        }
