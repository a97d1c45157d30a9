-- Removes a login of ours that owns nothing and may do nothing.
-- needs: CREATEROLE and ADMIN OPTION on the login
DROP ROLE :"login";
