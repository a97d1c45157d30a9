-- Takes from PUBLIC what every login would have otherwise. Run by psql in each database.
\set ON_ERROR_STOP on
SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database())
\gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
