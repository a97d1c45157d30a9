-- Gives the connector's role its password, as an owner would with \password (it comes from the environment), and its
-- way in; removes the database that nobody is to ask for. Run by psql in the database where the connector signs in.
\set ON_ERROR_STOP on
\getenv password CONNECTOR_PASSWORD
ALTER ROLE :"connector" PASSWORD :'password';
GRANT CONNECT ON DATABASE :"DBNAME" TO :"connector";
DROP DATABASE postgres;
