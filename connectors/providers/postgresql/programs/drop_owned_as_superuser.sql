-- Removes the last traces of a login from this database, once it owns nothing here: privileges and default privileges.
-- needs: superuser
DROP OWNED BY :"login" RESTRICT;
