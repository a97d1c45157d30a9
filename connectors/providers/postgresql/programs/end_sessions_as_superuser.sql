-- Ends the open sessions of a login of ours.
-- needs: superuser
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :'login';
