-- Lets a login read and write one table.
-- needs: USAGE on the schema and SELECT, INSERT, UPDATE, DELETE on the table, WITH GRANT OPTION
GRANT USAGE ON SCHEMA :"schema" TO :"login";
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE :"schema".:"table" TO :"login";
