-- The tables of one database that come after a name, in the order of their bytes.
SELECT TABLE_NAME AS name, TABLE_TYPE AS kind
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = :'database' AND CAST(TABLE_NAME AS BINARY) > CAST(:'after' AS BINARY)
ORDER BY CAST(TABLE_NAME AS BINARY);
