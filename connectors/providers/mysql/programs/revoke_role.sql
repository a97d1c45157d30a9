-- Takes a role from a login of ours.
-- needs: the role WITH ADMIN OPTION
REVOKE IF EXISTS :"role" FROM :"login"@'%';
