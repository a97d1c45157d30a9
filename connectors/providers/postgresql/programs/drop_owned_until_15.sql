-- Removes the last traces of a login from this database, once it owns nothing here: privileges and default privileges.
-- The connector is a member of the login for the length of this transaction (up to 15).
-- needs: CREATEROLE
GRANT :"login" TO CURRENT_USER;
DROP OWNED BY :"login" RESTRICT;
REVOKE :"login" FROM CURRENT_USER;
