-- Lets a login read every table that is in a schema now.
-- needs: USAGE on the schema and SELECT on all its tables, WITH GRANT OPTION
GRANT USAGE ON SCHEMA :"schema" TO :"login";
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO :"login";
