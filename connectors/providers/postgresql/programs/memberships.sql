-- The roles that these logins are direct members of.
SELECT login.rolname AS login, role.rolname AS role, coalesce(d.description, '') AS marker,
       coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, login.rolinherit) AS inherits
FROM pg_roles AS login
JOIN pg_auth_members AS m ON m.member = login.oid
JOIN pg_roles AS role ON role.oid = m.roleid
LEFT JOIN pg_shdescription AS d ON d.objoid = role.oid AND d.classoid = 'pg_authid'::regclass
WHERE login.rolname = ANY (:'logins'::text[])
ORDER BY 1, 2;
