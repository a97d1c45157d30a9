-- The databases of the server.
-- needs: SHOW DATABASES
SELECT SCHEMA_NAME AS name, DEFAULT_COLLATION_NAME AS collation
FROM information_schema.SCHEMATA
ORDER BY CAST(SCHEMA_NAME AS BINARY);
