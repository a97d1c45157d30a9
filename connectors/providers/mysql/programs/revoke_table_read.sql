-- Takes from a login of ours what reading a table needs.
-- needs: SELECT on the database, WITH GRANT OPTION
REVOKE IF EXISTS SELECT
ON :"database".:"table" FROM :"login"@'%';
