-- Lets a login read one table.
-- needs: USAGE on the schema and SELECT on the table, WITH GRANT OPTION
GRANT USAGE ON SCHEMA :"schema" TO :"login";
GRANT SELECT ON TABLE :"schema".:"table" TO :"login";
