-- Takes from a login of ours what reading a database needs.
-- needs: SELECT on the database, WITH GRANT OPTION
REVOKE SELECT
ON :"database".* FROM :"login"@'%';
