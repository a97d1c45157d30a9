-- Lets a login of ours use a database for writing.
-- needs: INSERT, UPDATE, DELETE on the database, WITH GRANT OPTION
GRANT INSERT, UPDATE, DELETE
ON :"database".* TO :"login"@'%';
