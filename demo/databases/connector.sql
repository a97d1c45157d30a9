-- Gives the connector's role its password, as an owner would with \password. It comes from the environment.
\set ON_ERROR_STOP on
\getenv password CONNECTOR_PASSWORD
ALTER ROLE :"connector" PASSWORD :'password';
GRANT CONNECT ON DATABASE postgres TO :"connector";
