-- What is in one schema: no row means no schema, one row without a name an empty one.
SELECT c.relname AS name, (c.relkind = 'S') AS is_sequence
FROM pg_namespace AS n
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
WHERE n.nspname = :'schema';
