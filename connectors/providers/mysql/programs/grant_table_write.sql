-- Lets a login of ours use a table for writing.
-- needs: INSERT, UPDATE, DELETE on the database, WITH GRANT OPTION
GRANT INSERT, UPDATE, DELETE
ON :"database".:"table" TO :"login"@'%';
