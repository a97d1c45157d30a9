-- Removes a probe login.
-- needs: CREATEROLE and ADMIN OPTION on the login
DROP ROLE IF EXISTS :"login";
