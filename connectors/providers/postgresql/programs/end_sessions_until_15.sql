-- Ends the open sessions of a login of ours. For that the connector has to be a member of the login; it is one for the
-- length of this transaction (up to 15).
-- needs: CREATEROLE
GRANT :"login" TO CURRENT_USER;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :'login';
REVOKE :"login" FROM CURRENT_USER;
