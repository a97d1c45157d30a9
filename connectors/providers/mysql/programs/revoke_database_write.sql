-- Takes from a login of ours what writing a database needs.
-- needs: INSERT, UPDATE, DELETE on the database, WITH GRANT OPTION
REVOKE IF EXISTS INSERT, UPDATE, DELETE
ON :"database".* FROM :"login"@'%';
