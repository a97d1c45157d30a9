-- Probe logins of this integration that an interrupted check left behind.
SELECT r.rolname AS login
FROM pg_shdescription AS d
JOIN pg_roles AS r ON r.oid = d.objoid
WHERE d.classoid = 'pg_authid'::regclass AND d.description = :'marker';
