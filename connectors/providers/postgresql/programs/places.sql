-- Where these logins have something: the server keeps this list for every database, so none has to be searched.
-- A row without a database is about what all databases share. Default privileges and user mappings belong to a role too,
-- but they are not things that anybody would miss: they go with the role and are not counted as owned.
SELECT r.rolname AS login, coalesce(d.datname, '') AS database, coalesce(d.datallowconn, true) AS may_connect,
       bool_or(s.deptype = 'a' AND s.dbid <> 0) AS has_privileges, bool_or(
           s.deptype = 'o' AND s.classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
       ) AS owns
FROM pg_roles AS r
JOIN pg_shdepend AS s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
LEFT JOIN pg_database AS d ON d.oid = s.dbid
WHERE r.rolname = ANY (:'logins'::text[])
GROUP BY 1, 2, 3
ORDER BY 1, 2;
