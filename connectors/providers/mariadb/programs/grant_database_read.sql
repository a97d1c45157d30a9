-- Lets a login of ours use a database for reading.
-- needs: SELECT on the database, WITH GRANT OPTION
GRANT SELECT
ON :"database".* TO :"login"@'%';
