-- What the set-up file left: its version, how late the event is, and the server's clock, in seconds since the epoch.
-- needs: SELECT on latchkey
SELECT version, UNIX_TIMESTAMP(NOW(6)) - looked_at AS late, UNIX_TIMESTAMP(NOW(6)) AS read_at
FROM latchkey.setup;
