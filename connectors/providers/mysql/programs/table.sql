-- One table, if it is there.
SELECT TABLE_TYPE AS kind
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = :'database' AND TABLE_NAME = :'table';
