-- The roles that these accounts or roles are in.
-- needs: SELECT on latchkey
SELECT user, host, role, with_admin
FROM latchkey.memberships
WHERE user IN :'logins';
