-- The schemas of this database, and how many of their tables and sequences the connector could not pass on.
SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner,
       has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION') AS may_give_usage,
       count(c.oid) FILTER (WHERE c.relkind <> 'S' AND NOT has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION'))
           AS not_readable,
       count(c.oid) FILTER (
           WHERE CASE
               WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE WITH GRANT OPTION')
               ELSE NOT (has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
                         AND has_table_privilege(c.oid, 'INSERT WITH GRANT OPTION')
                         AND has_table_privilege(c.oid, 'UPDATE WITH GRANT OPTION')
                         AND has_table_privilege(c.oid, 'DELETE WITH GRANT OPTION'))
           END
       ) AS not_writable
FROM pg_namespace AS n
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, n.nspowner
ORDER BY n.nspname;
