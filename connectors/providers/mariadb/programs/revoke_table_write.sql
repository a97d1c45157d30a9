-- Takes from a login of ours what writing a table needs.
-- needs: INSERT, UPDATE, DELETE on the database, WITH GRANT OPTION
REVOKE INSERT, UPDATE, DELETE
ON :"database".:"table" FROM :"login"@'%';
