-- Shuts a login of ours in every way there is.
-- needs: CREATEROLE and ADMIN OPTION on the login
ALTER ROLE :"login" NOLOGIN PASSWORD NULL VALID UNTIL '1970-01-01 00:00:00+00';
