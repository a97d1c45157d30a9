-- Removes the last traces of a login from this database, once it owns nothing here: privileges and default privileges.
-- The connector is a member of the login for the length of this transaction (16 and later).
-- needs: ADMIN OPTION on the login
GRANT :"login" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
DROP OWNED BY :"login" RESTRICT;
REVOKE :"login" FROM CURRENT_USER GRANTED BY CURRENT_USER;
