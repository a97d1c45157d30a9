-- The roles that the set-up file made, one per database and level, known by their comment.
SELECT r.rolname AS role, d.description AS marker,
       pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') AS may_give,
       EXISTS (
           SELECT FROM pg_database
           WHERE datname = substring(d.description FROM '^latchkey level=[A-Z_]+ database=(.*)$')
       ) AS database_exists
FROM pg_shdescription AS d
JOIN pg_roles AS r ON r.oid = d.objoid
WHERE d.classoid = 'pg_authid'::regclass AND starts_with(d.description, 'latchkey level=')
ORDER BY r.rolname;
