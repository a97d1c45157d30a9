-- The accounts with one of these names, for whatever host.
-- needs: SELECT on latchkey
SELECT user, host, locked
FROM latchkey.accounts
WHERE user IN :'names' AND NOT is_role;
