-- What these logins may do with databases, by the direct entries of their access lists.
SELECT r.rolname AS login, d.datname AS database, array_agg(DISTINCT a.privilege_type::text) AS privileges
FROM pg_roles AS r
JOIN pg_shdepend AS s
    ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.classid = 'pg_database'::regclass
    AND s.deptype = 'a'
JOIN pg_database AS d ON d.oid = s.objid
CROSS JOIN LATERAL aclexplode(d.datacl) AS a
WHERE r.rolname = ANY (:'logins'::text[]) AND a.grantee = r.oid
GROUP BY 1, 2;
