-- Lets a login connect to a database.
-- needs: CONNECT WITH GRANT OPTION on the database
GRANT CONNECT ON DATABASE :"database" TO :"login";
