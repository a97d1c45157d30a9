-- Takes from a login of ours what managing a table needs.
-- needs: CREATE, ALTER, INDEX, DROP, REFERENCES, SHOW VIEW on the database, WITH GRANT OPTION
REVOKE IF EXISTS CREATE, ALTER, INDEX, DROP, REFERENCES, SHOW VIEW
ON :"database".:"table" FROM :"login"@'%';
