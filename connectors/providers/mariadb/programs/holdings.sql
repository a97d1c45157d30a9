-- What these accounts or roles hold themselves.
-- needs: SELECT on latchkey
SELECT user, host, kind, database_name, object_name, column_name, privileges
FROM latchkey.holdings
WHERE user IN :'logins' AND privileges <> '';
