-- The logins that bear a person's marker, and those that have one of these names, whoever made them.
SELECT r.rolname AS login, coalesce(d.description, '') AS marker, r.rolcanlogin AS can_login,
       coalesce(extract(epoch FROM r.rolvaliduntil)::float8, 'infinity') AS valid_until
FROM pg_roles AS r
LEFT JOIN pg_shdescription AS d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass
WHERE starts_with(d.description, :'marker') OR r.rolname = ANY (:'names'::text[])
ORDER BY r.rolname;
