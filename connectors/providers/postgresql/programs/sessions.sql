-- The open sessions of these logins.
SELECT usename AS login, pid
FROM pg_stat_activity
WHERE usename = ANY (:'logins'::text[]);
