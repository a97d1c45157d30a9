-- What these logins may do with what is in this database, by the direct entries of the access lists. Anything that is
-- no schema, table or sequence comes under the name the server gives it.
WITH entry AS (
    SELECT r.oid AS login_oid, r.rolname AS login, s.classid, s.objid, s.objsubid
    FROM pg_roles AS r
    JOIN pg_shdepend AS s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'a'
    JOIN pg_database AS d ON d.oid = s.dbid AND d.datname = current_database()
    WHERE r.rolname = ANY (:'logins'::text[])
)
SELECT e.login, 'schema' AS kind, n.nspname AS schema, '' AS name, array_agg(DISTINCT a.privilege_type::text) AS privileges
FROM entry AS e
JOIN pg_namespace AS n ON n.oid = e.objid AND e.classid = 'pg_namespace'::regclass
CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
WHERE a.grantee = e.login_oid
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT e.login, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname,
       array_agg(DISTINCT a.privilege_type::text)
FROM entry AS e
JOIN pg_class AS c ON c.oid = e.objid AND e.classid = 'pg_class'::regclass AND e.objsubid = 0
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
WHERE a.grantee = e.login_oid
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT e.login, 'other', '', pg_describe_object(e.classid, e.objid, e.objsubid), ARRAY['ACL']
FROM entry AS e
WHERE e.classid NOT IN ('pg_namespace'::regclass, 'pg_class'::regclass, 'pg_database'::regclass)
   OR (e.classid = 'pg_class'::regclass AND e.objsubid <> 0);
