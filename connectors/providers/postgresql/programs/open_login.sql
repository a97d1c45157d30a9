-- Lets a login of ours in, until the end of its grant.
-- needs: CREATEROLE and ADMIN OPTION on the login
ALTER ROLE :"login" LOGIN VALID UNTIL :'ends_at';
