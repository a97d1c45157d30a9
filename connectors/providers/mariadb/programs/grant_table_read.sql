-- Lets a login of ours use a table for reading.
-- needs: SELECT on the database, WITH GRANT OPTION
GRANT SELECT
ON :"database".:"table" TO :"login"@'%';
