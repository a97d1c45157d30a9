-- The tables of this database and what the connector may pass on. Not sorted, so that they can be sent as they are read.
SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, pg_get_userbyid(c.relowner) AS owner,
       has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION') AS may_give_usage,
       has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') AS may_give_read,
       has_table_privilege(c.oid, 'INSERT WITH GRANT OPTION')
           AND has_table_privilege(c.oid, 'UPDATE WITH GRANT OPTION')
           AND has_table_privilege(c.oid, 'DELETE WITH GRANT OPTION') AS may_give_write
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
