-- Lets a login of ours use a table for managing.
-- needs: CREATE, ALTER, INDEX, DROP, REFERENCES, SHOW VIEW on the database, WITH GRANT OPTION
GRANT CREATE, ALTER, INDEX, DROP, REFERENCES, SHOW VIEW
ON :"database".:"table" TO :"login"@'%';
