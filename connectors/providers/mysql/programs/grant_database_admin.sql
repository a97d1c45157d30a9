-- Lets a login of ours use a database for managing.
-- Nothing with which its holder could define what works with their rights for others: no view, routine, trigger, event.
-- needs: CREATE, ALTER, INDEX, DROP, REFERENCES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, SHOW VIEW on the database, WITH GRANT OPTION
GRANT CREATE, ALTER, INDEX, DROP, REFERENCES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, SHOW VIEW
ON :"database".* TO :"login"@'%';
