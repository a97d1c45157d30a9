-- Puts a login of ours into a role.
-- needs: the role WITH ADMIN OPTION
GRANT :"role" TO :"login"@'%';
