-- Lets a login read and write every table that is in a schema now.
-- needs: USAGE on the schema, SELECT, INSERT, UPDATE, DELETE on all its tables and USAGE on all its sequences, WITH GRANT OPTION
GRANT USAGE ON SCHEMA :"schema" TO :"login";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA :"schema" TO :"login";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA :"schema" TO :"login";
